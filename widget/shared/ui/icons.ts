// The icons of the design system that the pages of staff draw.
import analytics from 'fds:analytics';
import arrowBack from 'fds:arrow-back';
import chat from 'fds:chat';
import check from 'fds:check';
import chevron from 'fds:chevron-down';
import close from 'fds:close';
import edit from 'fds:edit';
import forum from 'fds:forum';
import forward from 'fds:forward';
import help from 'fds:help';
import listAdd from 'fds:list-add';
import listBulleted from 'fds:list-bulleted';
import notifications from 'fds:notifications';
import person from 'fds:person';
import persons from 'fds:persons';
import reply from 'fds:reply';
import search from 'fds:search';
import send from 'fds:send';
import settings from 'fds:settings';
import share from 'fds:share';
import smartphone from 'fds:smartphone';
import sortDown from 'fds:sort-table-descending';
import sortUp from 'fds:sort-table-ascending';
import sortNone from 'fds:sort-table-none';
import supportAgent from 'fds:support-agent';
import time from 'fds:time';
import visibility from 'fds:visibility';
import warning from 'fds:warning';
import document from 'fds:document';
import payments from 'fds:payments';
import plus from 'fds:plus';
import remove from 'fds:delete';
import hidden from 'fds:visibility-off';
import copy from 'fds:copy';
import refresh from 'fds:refresh';
import upload from 'fds:upload';
import calendar from 'fds:calendar-month';
import bold from 'fds:format-bold';
import bullets from 'fds:format-list-bulleted';
import link from 'fds:link';
import undo from 'fds:subdirectory-arrow-left';
import success from 'fds:success';
import info from 'fds:info';

export const icons = {
  analytics, arrowBack, chat, check, chevron, close, edit, forum, forward, help, listAdd, listBulleted, notifications, person,
  persons, reply, search, send, settings, share, smartphone, sortDown, sortUp, sortNone, supportAgent, time, visibility, warning,
  document, payments, plus, remove, hidden, copy, refresh, upload, calendar, bold, bullets, link, undo, success, info,
};
export type IconName = keyof typeof icons;
