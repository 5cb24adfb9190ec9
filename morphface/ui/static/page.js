/** The page of `morphface edit --ui`: the editor, as large as the window. */

import { mount } from "./editor.js";

mount(document.querySelector("main"));
