const waiting: (() => void)[] = [];

/** Resolves when it is one's turn to hold the event loop for a slice: one of all that is long goes on with each turn of the loop, in turns. */
export function nextSlice(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(letNext);
  });
}

function letNext(): void {
  waiting[0]?.();
  waiting.shift();
  if (waiting.length > 0) setImmediate(letNext);
}
