// The right column, always about the chat that keys go to: what it is about, what to answer, why it came here.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { desk, run } from '../app';
import { asReply, complete, filter, slots } from '../core/canned';
import { lastOfCitizen, part } from '../core/state';
import { clock as time, short } from '../../shared/core/time';
import type { Article, Card } from '../core/wire';
import * as words from '../core/words';
import { hint, keyName, type KeyId } from './keys';
import { Empty, Icon, Markdown, Press, Since } from './parts';
import { column, insert } from './view';

function Fold({ title, children, open = false, extra, test }: { title: string; children: ComponentChildren; open?: boolean; extra?: ComponentChildren; test: string }) {
  return (
    <details class="fold" open={open} data-testid={test}>
      <summary><h2>{title}</h2>{extra}<Icon name="chevron" /></summary>
      <div class="fold-in">{children}</div>
    </details>
  );
}

function Brief({ card }: { card: Card }) {
  const b = card.brief;
  return (
    <Fold title="Henvendelsen" open test="brief">
      <dl class="facts">
        <div><dt>Kommune</dt><dd>{words.place(card.municipality)}</dd></div>
        <div><dt>Sprog</dt><dd>{words.language(card.language)}</dd></div>
        <div><dt>Bad om hjælp</dt><dd>kl. {time(card.place_ms)}, for <Since at={card.place_ms} /> siden</dd></div>
      </dl>
      {!b && !card.callback && <p class="quiet-text">Du har ikke adgang til, hvad borgeren spurgte chatrobotten om i {words.place(card.municipality)}.</p>}
      {b && (
        <>
          {b.question && <><h3>Spørgsmål</h3><p class="question" dir="auto">{b.question}</p></>}
          {b.tried.filter((t) => t !== b.question).length > 0 && (
            <><h3>Også spurgt om</h3><ul class="plain-list">{b.tried.filter((t) => t !== b.question).map((t) => <li key={t} dir="auto">{t}</li>)}</ul></>
          )}
          {b.sources.length > 0 && <><h3>Har fået vist</h3><ul class="plain-list">{b.sources.map((s) => <li key={s.article_id}>{s.title}</li>)}</ul></>}
          {b.failed && <><h3>Hvorfor det ikke lykkedes</h3><p>{b.failed}</p></>}
        </>
      )}
    </Fold>
  );
}

function ArticleView({ article, card, nth }: { article: Article; card: Card; nth?: number }) {
  const [whole, setWhole] = useState(false);
  const key = nth === undefined ? undefined : (`article${nth}` as KeyId);
  const may = part(card, desk.value.me.id) !== 'watched';
  return (
    <li class="article" data-testid={nth === undefined ? 'hit' : 'suggestion'}>
      <h3>{article.title}</h3>
      <div class={whole ? 'article-text' : 'article-text clamp'}><Markdown text={article.text} /></div>
      <div class="article-do">
        {may && (
          <Press look="secondary" icon="reply" {...(key ? { for: key, shows: true } : {})} test={key ? `insert-${nth}` : 'insert-hit'}
            aria-label={`Indsæt: ${article.title}`} onClick={() => insert(card.item, asReply(article.text))}>Indsæt</Press>
        )}
        <button type="button" class="more" aria-expanded={whole} onClick={() => setWhole(!whole)}>{whole ? 'Vis mindre' : 'Læs hele'}</button>
        {/^https:\/\//.test(article.url) && <a href={article.url} target="_blank" rel="noopener noreferrer">Kilde</a>}
      </div>
    </li>
  );
}

function Suggestions({ card }: { card: Card }) {
  const d = desk.value;
  const s = d.suggestions[card.item];
  const last = lastOfCitizen(d, card.item);
  const old = s && last && s.line !== last.id;
  return (
    <Fold title="Forslag til svar" open test="suggestions">
      {old && <p class="quiet-text">Til en tidligere besked; nye forslag er på vej.</p>}
      {s?.articles.length
        ? <ul class="articles">{s.articles.map((a, i) => <ArticleView key={a.article_id} article={a} card={card} nth={i + 1} />)}</ul>
        : <Empty>{s ? 'Ingen artikel passer til den seneste besked.' : 'Forslag kommer, når borgeren skriver.'}</Empty>}
    </Fold>
  );
}

function Search({ card }: { card: Card }) {
  const [text, setText] = useState('');
  const [found, setFound] = useState<Article[] | undefined>(undefined);
  const [fault, setFault] = useState('');
  const asked = useRef(0);
  useEffect(() => {
    const n = ++asked.current;
    setFault('');
    if (text.trim().length < 2) return void setFound(undefined);
    const later = setTimeout(() => {
      void run({ type: 'search', item: card.item, municipality: card.municipality.code, text: text.trim() }).then((done) => {
        // An older answer must not overtake a newer question.
        if (n !== asked.current) return;
        if (done.ok) setFound(done.ok.articles);
        else setFault(words.refusal(done.refused?.code ?? '', done.refused?.text ?? ''));
      });
    }, 250);
    return () => clearTimeout(later);
  }, [text, card.item]);
  return (
    <section class="search" role="search" aria-label="Søg i viden">
      <label class="sr-only" for="search">Søg i viden for {words.place(card.municipality)}</label>
      <div class="search-row"><Icon name="search" /><input id="search" type="search" class="form-input" value={text} placeholder={`Søg i viden for ${words.place(card.municipality)}`}
        data-testid="search" {...hint('search')} onInput={(e) => setText(e.currentTarget.value)}
        onKeyDown={(e) => e.key === 'Escape' && (setText(''), document.getElementById(`write-${card.item}`)?.focus())} /></div>
      <p class="sr-only" role="status">{found ? `${found.length} artikler` : ''}</p>
      {fault && <p class="form-error-message" role="alert">{fault}</p>}
      {found && (found.length ? <ul class="articles">{found.map((a) => <ArticleView key={a.article_id} article={a} card={card} />)}</ul> : <Empty>Ingen artikel passer. Prøv med andre ord.</Empty>)}
    </section>
  );
}

function CannedReplies({ card }: { card: Card }) {
  const d = desk.value;
  const [typed, setTyped] = useState('');
  if (d.canned.length === 0) return null;
  return (
    <Fold title="Standardsvar" test="canned" extra={<kbd aria-hidden="true">{keyName('canned')}</kbd>}>
      <input id="canned-filter" class="form-input" type="search" aria-label="Find standardsvar" placeholder="Find standardsvar" value={typed} onInput={(e) => setTyped(e.currentTarget.value)} />
      <ul class="canned">
        {filter(d.canned, typed).map((c) => {
          const text = complete(c.text, slots(card, d.me.name, d.municipalities));
          return (
            <li key={c.id}>
              <button type="button" data-testid="canned-reply" onClick={() => insert(card.item, text)}><b>{c.title}</b><span>{text}</span></button>
            </li>
          );
        })}
      </ul>
    </Fold>
  );
}

function Why({ card }: { card: Card }) {
  if (card.decisions.length === 0) return null;
  return (
    <Fold title="Hvorfor denne medarbejder?" test="why">
      <ol class="why">
        {card.decisions.map((x, i) => (
          <li key={i}>
            <p><b>{x.agent.name || 'Ingen'}</b> <time>kl. {time(x.at_ms)}</time></p>
            <p>{words.reason(x)}</p>
            <p class="quiet-text">
              {x.candidates} kunne tage den · {x.free} {x.free === 1 ? 'ledig plads' : 'ledige pladser'} · sidst optaget for {short(x.idle_ms)} siden
              {x.needs.length > 0 && <> · krævede {x.needs.map(words.need).join(', ')}</>}
              {x.overdue && ' · havde ventet for længe'}{x.owed && ' · kommunen havde en plads til gode'}
            </p>
          </li>
        ))}
      </ol>
    </Fold>
  );
}

export function Side() {
  const d = desk.value;
  const card = d.active === undefined ? undefined : d.cards[d.active];
  return (
    <section class="side" id="side" aria-label="Hjælp til samtalen" tabIndex={-1}>
      {card && <p class="narrow-only"><Press look="tertiary" icon="arrowBack" onClick={() => (column.value = 'chat')}>Til samtalen</Press></p>}
      {card
        ? (
          <div key={card.item}>
            <Brief card={card} />
            {!card.callback && <Suggestions card={card} />}
            <Search card={card} />
            {part(card, d.me.id) === 'chat' && <CannedReplies card={card} />}
            <Why card={card} />
          </div>
        )
        : <Empty>Her står, hvad borgeren har spurgt om, og forslag til svar.</Empty>}
    </section>
  );
}
