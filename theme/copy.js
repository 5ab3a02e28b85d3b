// A button that copies, for each block of code. Pages read as well without it.
'use strict';
(() => {
  if (!navigator.clipboard) return;

  const status = document.createElement('p');
  status.className = 'copy-status';
  status.setAttribute('role', 'status');
  document.body.append(status);

  // Of a session only what was typed: neither the prompts nor what came back.
  const words = (code) => {
    if (!code.querySelector('.prompt')) return code.textContent;
    const typed = code.cloneNode(true);
    for (const other of typed.querySelectorAll('.prompt, .out')) other.remove();
    const lines = typed.textContent.split('\n').map((line) => line.replace(/^ /, ''));
    return lines.filter((line) => line).join('\n') + '\n';
  };

  for (const code of document.querySelectorAll('pre > code')) {
    const frame = document.createElement('div');
    const button = document.createElement('button');
    frame.className = 'copyable';
    button.type = 'button';
    button.textContent = 'コピー';
    button.setAttribute('aria-label', 'このコードをコピー');
    let reset = 0;
    button.addEventListener('click', async () => {
      let said = 'コピーしました';
      try {
        await navigator.clipboard.writeText(words(code));
      } catch {
        said = 'コピーできませんでした';
      }
      button.textContent = said;
      status.textContent = said;
      clearTimeout(reset);
      reset = setTimeout(() => {
        button.textContent = 'コピー';
        status.textContent = '';
      }, 2000);
    });
    code.parentElement.replaceWith(frame);
    frame.append(code.parentElement, button);
  }
})();
