// An address of the first version without a key: where the new one is, said as the overlay says things.

import { Notices } from "./notices.js";
import { pickWords } from "./words.js";

const words = pickWords(new URLSearchParams(location.search).get("lang"));
document.documentElement.lang = words.lang;
new Notices(document.getElementById("notice"), words).refused("moved");
