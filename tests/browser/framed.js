// Each of the site's pages in a frame of its own, without the site's policy: what only the policy would stop, runs.
// Their own script is left out: that they get on with it, visits show. Takes [audit, paths, width]; gives {path: problems}
// of those that have some. Runs in a page of the site's origin.
async ([audit, paths, width]) => {
  const found = {};
  const look = async (path) => {
    const answer = await fetch(path, { headers: { Accept: "text/html" } });
    const text = (await answer.text()).replace(/<script src="[^"]*" defer><\/script>/, "");
    const frame = document.createElement("iframe");
    Object.assign(frame, { width, height: 800, name: path, srcdoc: text });
    const loaded = new Promise((done) => frame.addEventListener("load", done, { once: true }));
    document.body.append(frame);
    await loaded;
    const problems = answer.ok ? [] : [`answers ${answer.status}`];
    try {
      problems.push(...await frame.contentWindow.eval(`(${audit})()`));
    } catch (error) {
      problems.push(`went elsewhere: ${error.message}`);
    }
    frame.remove();
    if (problems.length) found[path] = problems;
  };
  const waiting = [...paths];
  const work = async () => { while (waiting.length) await look(waiting.shift()); };
  await Promise.all([work(), work(), work()]);
  return found;
}
