// A file's text. Spreadsheets in Danish offices still write Windows-1252, and æ, ø and å must not be lost on the way in.

export function decode(bytes: ArrayBuffer | Uint8Array): string {
  try {
    // It takes a byte order mark away itself.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
