// The table of runs for anywidget: plain DOM, nothing to load. Texts come ready from Python.

const STYLE = `
.tb-widget { font: 13px system-ui, sans-serif; color: inherit; }
.tb-widget input[type="search"] { width: 100%; box-sizing: border-box; padding: 4px 8px;
  margin-bottom: 6px; color: inherit; background: transparent;
  border: 1px solid rgba(128,128,128,.4); border-radius: 4px; font: 12px ui-monospace, monospace; }
.tb-widget .tb-problem { color: #e5484d; min-height: 1em; font-size: 12px; }
.tb-widget .tb-scroll { max-height: 420px; overflow: auto; }
.tb-widget table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.tb-widget th, .tb-widget td { padding: 3px 10px; white-space: nowrap; text-align: left;
  border-bottom: 1px solid rgba(128,128,128,.25); }
.tb-widget th { font-weight: 600; opacity: .7; }
.tb-widget .tb-right { text-align: right; }
.tb-widget tr.tb-selected { background: rgba(59,130,246,.16); }
`;

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function side(column) {
  return column.align === 'right' ? 'tb-right' : '';
}

function render({ model, el }) {
  const where = element('input', { type: 'search', placeholder: 'metrics.acc > 0.9' });
  where.setAttribute('aria-label', 'Filter runs');
  const problem = element('div', { className: 'tb-problem' });
  problem.setAttribute('role', 'status');
  const scroll = element('div', { className: 'tb-scroll' });
  el.append(
    element('div', { className: 'tb-widget' }, element('style', { textContent: STYLE }), where, problem, scroll)
  );

  function toggle(id, on) {
    const others = model.get('selected').filter(other => other !== id);
    model.set('selected', on ? [...others, id] : others);
    model.save_changes();
  }

  function row(columns, run) {
    const ticked = model.get('selected').includes(run.id);
    const box = element('input', { type: 'checkbox', checked: ticked });
    box.setAttribute('aria-label', `Select ${run.name} #${run.number}`);
    box.addEventListener('change', () => toggle(run.id, box.checked));
    const line = element('tr', { className: ticked ? 'tb-selected' : '' }, element('td', {}, box));
    line.dataset.runId = run.id;
    for (const column of columns) {
      const text = (run.cells[column.key] ?? { text: '' }).text;
      const shown = column.kind === 'name' ? `${text} #${run.number}` : text;
      line.append(element('td', { textContent: shown, className: side(column) }));
    }
    return line;
  }

  function paint() {
    const { columns = [], rows = [], total = 0 } = model.get('table');
    const heads = columns.map(c => element('th', { textContent: c.title, className: side(c) }));
    const parts = [
      element(
        'table',
        {},
        element('thead', {}, element('tr', {}, element('th'), ...heads)),
        element('tbody', {}, ...rows.map(run => row(columns, run)))
      )
    ];
    if (rows.length < total) {
      parts.push(element('div', { textContent: `${total - rows.length} more runs` }));
    }
    scroll.replaceChildren(...parts);
  }

  function tell() {
    where.value = model.get('where');
    problem.textContent = model.get('problem');
  }

  where.addEventListener('change', () => {
    model.set('where', where.value);
    model.save_changes();
  });
  const listeners = [
    ['change:table', paint],
    ['change:selected', paint],
    ['change:where', tell],
    ['change:problem', tell]
  ];
  for (const [name, listener] of listeners) {
    model.on(name, listener);
  }
  tell();
  paint();
  return () => listeners.forEach(([name, listener]) => model.off(name, listener));
}

export default { render };
