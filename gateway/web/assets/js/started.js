/** Notes that the page's scripts have arrived: until then the style sheet shows a sentence after some seconds. */

document.documentElement.dataset.scripts = "started";
