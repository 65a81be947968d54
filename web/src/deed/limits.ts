/** The limits of docs/deed.md, which says where each comes from. */
export const limits = {
  /** One deed, in bytes. */
  deed: 128 << 10,
  /** Deeds in a chain. */
  chain: 100_000,
  people: 64,
  /** Guests and links among the people. */
  guests: 32,
  /** Of one person. */
  devices: 16,
  agents: 32,
  cameras: 256,
  /** Open at a time. */
  invites: 32,
  wraps: 64,
  /** Epochs in a past. */
  past: 1024,
  /** How much earlier a deed may be than the one before it, in microseconds. */
  backdate: 5 * 60 * 1_000_000,
  /** Of a home's recordings. */
  days: 36_500,
};
