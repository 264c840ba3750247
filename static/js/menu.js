// A menu longer than the window is scrolled to where one is.

const menu = document.querySelector(".menu");
const current = menu?.querySelector("[aria-current]");
if (current) menu.scrollTop = current.offsetTop - (menu.clientHeight - current.offsetHeight) / 2;
