// Does the work that the form asks for: finds a nonce so that the SHA-256 (FIPS 180-4) of the challenge with the nonce behind it
// begins with as many zero bits as are wanted. It begins when the reader comes to the form, so that most of it is done when
// he sends it.
'use strict';
(() => {
  const challenge = document.querySelector('input[name="challenge"]');
  const form = challenge.form;
  const status = document.getElementById('work-status');
  document.getElementById('without-script').hidden = true;
  // The form comes back with its work done.
  if (form.elements.namedItem('nonce')) return;

  // The first 32 bits behind the point of the square roots of the first 8 primes, and of the cube roots of the first 64.
  const primes = [];
  for (let number = 2; primes.length < 64; number += 1) {
    if (primes.every((prime) => number % prime)) primes.push(number);
  }
  const fraction = (root) => ((root - Math.floor(root)) * 2 ** 32) | 0;
  const begin = Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
  const constants = Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime)));

  const words = new Int32Array(64);
  const turned = (word, by) => (word >>> by) | (word << (32 - by));

  /** The state after one block of 64 octets. */
  const after = (state, block) => {
    for (let at = 0; at < 16; at += 1) words[at] = block.getInt32(4 * at);
    for (let at = 16; at < 64; at += 1) {
      const near = words[at - 2];
      const far = words[at - 15];
      const small = turned(far, 7) ^ turned(far, 18) ^ (far >>> 3);
      words[at] = words[at - 16] + small + words[at - 7] + (turned(near, 17) ^ turned(near, 19) ^ (near >>> 10));
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let at = 0; at < 64; at += 1) {
      const big = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
      const first = (h + big + ((e & f) ^ (~e & g)) + constants[at] + words[at]) | 0;
      const second = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + first) | 0;
      d = c;
      c = b;
      b = a;
      a = (first + second) | 0;
    }
    return [a, b, c, d, e, f, g, h].map((word, at) => (word + state[at]) | 0);
  };

  /** Finds the nonce, a little at a time, so that the page can be worked with meanwhile. */
  const find = async () => {
    const bits = Number(challenge.dataset.bits);
    const octets = new TextEncoder().encode(challenge.value);
    const whole = octets.length - (octets.length % 64);
    let state = begin;
    for (let at = 0; at < whole; at += 64) state = after(state, new DataView(octets.buffer, at, 64));
    const rest = octets.subarray(whole);
    // The challenge leaves room for the nonce and the length in its last block.
    const last = new Uint8Array(64);
    const block = new DataView(last.buffer);
    const isFound = (nonce) => {
      last.fill(0);
      last.set(rest);
      for (let at = 0; at < nonce.length; at += 1) last[rest.length + at] = nonce.charCodeAt(at);
      last[rest.length + nonce.length] = 0x80;
      block.setUint32(60, 8 * (octets.length + nonce.length));
      return after(state, block)[0] >>> (32 - bits) === 0;
    };
    for (let count = 0; ; ) {
      const until = performance.now() + 20;
      do {
        for (const end = count + 256; count < end; count += 1) {
          if (isFound(String(count))) return String(count);
        }
      } while (performance.now() < until);
      await new Promise((resolve) => setTimeout(resolve));
    }
  };

  let found;
  const work = () => (found ??= find());
  form.addEventListener('focusin', work, { once: true });
  let isWaiting = false;
  form.addEventListener('submit', async (event) => {
    if (form.elements.namedItem('nonce')) return;
    event.preventDefault();
    if (isWaiting) return;
    isWaiting = true;
    status.textContent = status.dataset.words;
    const nonce = document.createElement('input');
    nonce.type = 'hidden';
    nonce.name = 'nonce';
    nonce.value = await work();
    form.append(nonce);
    // As long as this event is under way, which it is where the work was done before, the form cannot be sent again.
    setTimeout(() => form.requestSubmit(event.submitter));
  });
})();
