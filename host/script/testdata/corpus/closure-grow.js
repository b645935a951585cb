// memory 4: holds more
export default function () {
  let f = () => 0;
  for (;;) { const g = f; const pad = "x".repeat(100); f = () => [g, pad + 1]; }
}
