// The page with the stand-in instead of the worker. Open /src/dev/ under `npm run dev`;
// what it shows is chosen by ?is=, see fake.ts.

import { mount } from "svelte";

import App from "../App.svelte";
import { takeLink, watchForLinks } from "../setup/link.ts";
import "../style.css";
import { fakeKeeper } from "./fake.ts";

const link = takeLink();
watchForLinks();
const target = document.getElementById("app");
if (target) mount(App, { target, props: { link, keeper: fakeKeeper } });
