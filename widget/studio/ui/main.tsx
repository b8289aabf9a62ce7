import { render } from 'preact';
import { start } from '../app';
import { Root } from './shell';

const at = document.getElementById('app');
if (at) render(<Root />, at);
start();
