import { describe, expect, it } from "vitest";
import vectors from "../../api/testdata/vectors.json" with { type: "json" };
import { MACKey } from "./mac.ts";
import { unbase64 } from "./wire.ts";

const { mac } = vectors;
const body = unbase64(mac.body)!;

describe("MACs", () => {
  it("are those of the server's own vectors", async () => {
    const key = await MACKey.of(unbase64(mac.key)!);
    expect(await key.request("POST", "/v1/objects/a/b?from=5", "r1", body)).toBe(mac.request);
    expect(await key.answers(mac.answer, "r1", 201, body)).toBe(true);
    expect(await key.answers(mac.answer, "r1", 200, body)).toBe(false);
    expect(await key.answers("", "r1", 201, body)).toBe(false);
    expect(await key.answers("no base64", "r1", 201, body)).toBe(false);
  });

  it("are by a key that nobody can take out, another for each page", async () => {
    const [one, two] = [await MACKey.make(), await MACKey.make()];
    expect(one.bytes).not.toEqual(two.bytes);
    expect(JSON.stringify(one.key)).toBe("{}");
    expect(await one.key.request("GET", "/", "r1", body)).toBe(await (await MACKey.of(one.bytes)).request("GET", "/", "r1", body));
  });
});
