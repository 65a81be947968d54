// A camera's address as people type or paste it.

export interface Apart {
  address: string;
  user: string;
  password: string;
}

/** Takes user and password out of an address that somebody has pasted with them. */
export function apart(text: string): Apart {
  const address = text.trim();
  const found = /^([a-z]+:\/\/)([^/?#]*)@(.*)$/is.exec(address);
  if (!found) return { address, user: "", password: "" };
  const [, scheme = "", who = "", rest = ""] = found;
  const colon = who.indexOf(":");
  const [user, password] = colon < 0 ? [who, ""] : [who.slice(0, colon), who.slice(colon + 1)];
  return { address: scheme + rest, user: plain(user), password: plain(password) };
}

// A password may hold a percent sign of its own.
function plain(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
