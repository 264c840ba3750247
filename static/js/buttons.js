// Copies a button's address without showing it.

import { enableCopying, showCopyButtons } from "./copying.js";

enableCopying();
showCopyButtons();
