// The worker's door: calls come in as messages, answers go out.
export {};
