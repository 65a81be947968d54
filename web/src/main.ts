// Mounts the page; nothing else. The link leaves the address bar before anything runs.

import { mount } from "svelte";

import App from "./App.svelte";
import { Keeper } from "./keeper.ts";
import { takeLink, watchForLinks } from "./setup/link.ts";
import "./style.css";

const link = takeLink();
watchForLinks();
const target = document.getElementById("app");
if (target) mount(App, { target, props: { link, keeper: () => new Keeper(link.is === "open" ? link.secret : "") } });
