// A file's text. Spreadsheets in Danish offices still write Windows-1252, and æ, ø and å must not be lost on the way in.

export function decode(bytes: ArrayBuffer | Uint8Array): string {
  try {
    // It takes a byte order mark away itself.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

/** A file's bytes as they travel in JSON. */
export function base64(bytes: Uint8Array): string {
  let text = '';
  // In stretches: a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
