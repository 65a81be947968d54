// Hands a file to the person: the browser's own download, from memory.

/** Saves the file under that name. */
export function saveFile(file: Blob, filename: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = filename;
  link.click();
  // The download has its own hold on the bytes once it has begun; a minute is plenty.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
