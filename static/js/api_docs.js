// The API's reference, to read and to try: Swagger UI instead of the plain list.

const reference = document.getElementById("reference");
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function followTheme() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

followTheme();
dark.addEventListener("change", followTheme);

if (window.SwaggerUIBundle) {
  reference.replaceChildren();
  window.SwaggerUIBundle({
    url: reference.dataset.document,
    domNode: reference,
    deepLinking: true,
    docExpansion: "none",
    filter: true,
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    tryItOutEnabled: false,
    // Nobody else's service draws a badge, and a key stays in the page it was typed into.
    validatorUrl: null,
    persistAuthorization: false,
  });
}
