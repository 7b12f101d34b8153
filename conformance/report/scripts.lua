-- The scripts of the HTML report. The page is whole without them, but for what is packed.

local scripts = {}

-- Cases that are not open are unpacked when one of them is opened first.
scripts.unpack = [[
<noscript><p>What is behind a closed case shows with scripts only; JSON has it.</p></noscript>
<script type="application/octet-stream" id=packed>%s</script>
<script>
let insides;
async function unpack() {
  const octets = Uint8Array.from(atob(document.getElementById("packed").textContent),
    letter => letter.charCodeAt(0));
  const stream = new Blob([octets]).stream().pipeThrough(new DecompressionStream("deflate"));
  return (await new Response(stream).text()).split("\x1e");
}
document.addEventListener("toggle", async event => {
  const place = event.target.dataset.place;
  if (place === undefined || !event.target.open) return;
  delete event.target.dataset.place;
  insides = insides || unpack();
  event.target.querySelector(".inside").innerHTML = (await insides)[place];
}, true);
</script>]]

-- Who has scripts can look for a word of a case's name or purpose, and finds a case open that a link
-- leads to.
scripts.search = [[
<script>
const search = document.createElement("p");
search.className = "search";
search.innerHTML = '<input type=search placeholder="find a case" aria-label="find a case">';
document.querySelector("header").append(search);
search.firstChild.addEventListener("input", event => {
  const word = event.target.value.toLowerCase();
  for (const one of document.querySelectorAll("main .case")) {
    const line = one.querySelector("summary").textContent.toLowerCase();
    one.classList.toggle("unsought", !line.includes(word));
  }
  for (const cause of document.querySelectorAll("main .cause")) {
    cause.open = word !== "";
    cause.classList.toggle("unsought", !cause.querySelector(".case:not(.unsought)"));
  }
});
function open_target() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let one = target; one; one = one.parentElement) if (one.matches("details")) one.open = true;
  if (target) target.scrollIntoView();
}
addEventListener("hashchange", open_target);
open_target();
</script>]]

return scripts
