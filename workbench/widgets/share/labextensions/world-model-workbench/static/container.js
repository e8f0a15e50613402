// A launcher tile and a command that open the workbench's notebook in JupyterLab.
//
// JupyterLab loads extensions as module-federation containers: an object with `init`, which is
// given the shared packages, and `get`, which returns the extension. That is little
// enough to write by hand, so no build stands between this file and the browser.

(() => {
  const NAME = "world-model-workbench";
  const COMMAND = "world-model-workbench:open";
  const LABEL = "World Model Workbench";
  const NOTEBOOK = "notebooks/workbench.ipynb";
  const NEW_NOTEBOOK = "workbench.ipynb"; // if the server does not run in the checkout
  const ICON =
    "data:image/svg+xml," +
    encodeURIComponent(
      '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 52 52"><rect x="4" y="12" width="44" height="28" rx="6" fill="none" stroke="#c4621a" stroke-width="4"/><path d="M6 14h18L14 38H6zM32 14h7L29 38h-7z" fill="#c4621a"/></svg>',
    );

  const NARROW_PX = 760;
  const RESTORED_MS = 1000; // by then a saved workbench has been restored
  const RUNS = 3;
  const LOOKS = 8;
  const LOOKS_BACK = 3;
  const SHOWN = "world-model-workbench:shown"; // the notebook whose workbench this tab should show
  const WIDGET = "application/vnd.jupyter.widget-view+json";
  const GONE = "model not found"; // what JupyterLab shows for a widget without a kernel
  // `make lab` opens this address to show the workbench, not its code. The application rewrites it soon.
  const ASKED_FOR = new URLSearchParams(location.search).has("workbench");

  let shared = {};

  /** A package shared by JupyterLab; null in an application without it, such as Voilà. */
  async function sharedPackage(name) {
    const versions = Object.values(shared[name] ?? {});
    if (!versions.length) return null;
    const factory = await versions[0].get();
    return factory();
  }

  function notebook() {
    const source = "import workbench as wb\n\nbench = wb.Workbench()\nbench";
    const cell = { cell_type: "code", id: "workbench", metadata: {}, outputs: [], execution_count: null, source };
    const kernelspec = { name: "python3", display_name: "Python 3 (ipykernel)", language: "python" };
    return { cells: [cell], metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 };
  }

  async function exists(contents, path) {
    try {
      await contents.get(path, { content: false });
      return true;
    } catch {
      return false;
    }
  }

  async function open(app) {
    if (window.innerWidth < NARROW_PX) app.shell.collapseLeft?.(); // a phone has no room for the file browser
    const { contents } = app.serviceManager;
    let path = NOTEBOOK;
    if (!(await exists(contents, path))) {
      path = NEW_NOTEBOOK;
      if (!(await exists(contents, path))) {
        await contents.save(path, { type: "notebook", format: "json", content: notebook() });
      }
    }
    const panel = await app.commands.execute("docmanager:open", { path, factory: "Notebook" });
    await run(app, panel);
    sessionStorage.setItem(SHOWN, path);
    return panel;
  }

  /** Run the cell that shows the workbench, unless it is shown already. */
  async function run(app, panel) {
    if (!panel?.sessionContext) return;
    await isReady(panel);
    if (panel.isDisposed || panel.node.querySelector(".wb")) return;
    const first = panel.content.widgets.findIndex((cell) => cell.model.type === "code");
    if (first < 0) return;
    const { model } = panel.content.widgets[first];
    app.shell.activateById(panel.id);
    for (let attempt = 0; attempt < RUNS; attempt += 1) {
      panel.content.activeCellIndex = first;
      await app.commands.execute("notebook:run-cell");
      if (model.executionCount !== null) break; // otherwise JupyterLab has dropped the run
      await pause();
    }
    panel.node.querySelector(".wb")?.scrollIntoView({ block: "start" });
  }

  /** Whether this tab showed the workbench before it was reloaded: its output may not have been saved. */
  async function comeBack(app, panel) {
    await isReady(panel);
    for (let look = 0; look < LOOKS_BACK && hasWidgets(panel) && !panel.node.querySelector(".wb"); look += 1) await pause();
    await run(app, panel);
  }

  /** Whether the notebook was saved with widgets, which JupyterLab restores if their kernel still runs. */
  function hasWidgets(panel) {
    return panel.content.widgets.some(({ model }) => {
      const outputs = model.type === "code" ? model.outputs.toJSON() : [];
      return outputs.some((output) => output.data?.[WIDGET]);
    });
  }

  function pause() {
    return new Promise((resolve) => setTimeout(resolve, RESTORED_MS));
  }

  /** Wait for the kernel, as an earlier run is dropped or opens the kernel dialog, and for saved widgets. */
  async function isReady(panel) {
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session?.kernel?.info;
    if (hasWidgets(panel)) await pause();
  }

  /** A new kernel does not know the saved workbench: say so, and offer to show it again. */
  async function offerAgain(app, panel) {
    await isReady(panel);
    for (let look = 0; look < LOOKS; look += 1) {
      if (panel.isDisposed || panel.node.querySelector(".wb")) return;
      for (const [place, cell] of panel.content.widgets.entries()) {
        if (cell.model.type !== "code" || !/\bWorkbench\(/.test(cell.model.sharedModel.getSource())) continue;
        const gap = [...cell.node.querySelectorAll(".jupyter-widgets")].find((node) => node.textContent.includes(GONE));
        if (gap) return fill(gap, app, panel, place);
      }
      await pause();
    }
  }

  function fill(gap, app, panel, place) {
    const again = document.createElement("button");
    again.className = "jp-Button jp-mod-styled jp-mod-accept";
    again.textContent = "Show the workbench again";
    again.addEventListener("click", () => {
      panel.content.activeCellIndex = place;
      app.commands.execute("notebook:run-cell");
    });
    gap.replaceChildren("The kernel was restarted. Nothing is lost.  ", again);
  }

  /** Open the workbench that asks for it in a tab of its own, as wide as the window. */
  async function ownTab(app, panel, node) {
    const place = panel.content.widgets.findIndex((cell) => cell.node.contains(node));
    if (place < 0) return;
    panel.content.activeCellIndex = place;
    await app.commands.execute("notebook:create-output-view");
    const views = [...app.shell.widgets("main")].filter((one) => one.node.querySelector(".jp-LinkedOutputView"));
    const view = views[views.length - 1];
    if (!view) return;
    view.title.label = LABEL;
    app.shell.add(view, "main", { ref: panel.id, mode: "tab-after" });
    app.shell.activateById(view.id);
    app.shell.collapseLeft?.();
  }

  async function extension() {
    const launcherPackage = await sharedPackage("@jupyterlab/launcher");
    const palettePackage = await sharedPackage("@jupyterlab/apputils");
    const notebookPackage = await sharedPackage("@jupyterlab/notebook");
    const wanted = [launcherPackage?.ILauncher, palettePackage?.ICommandPalette, notebookPackage?.INotebookTracker];
    const plugin = {
      id: `${NAME}:plugin`,
      description: "Opens the World Model Workbench.",
      autoStart: true,
      optional: wanted.filter(Boolean),
      activate(app, ...given) {
        app.commands.addCommand(COMMAND, { label: LABEL, caption: `Open the ${LABEL}`, execute: () => open(app) });
        const [launcher, palette, notebooks] = wanted.map((token) => (token ? given.shift() : null));
        launcher?.add({ command: COMMAND, category: "Notebook", rank: 0, kernelIconUrl: ICON });
        palette?.addItem({ command: COMMAND, category: "Workbench" });
        let shown = ASKED_FOR ? null : sessionStorage.getItem(SHOWN);
        notebooks?.widgetAdded.connect((_, panel) => {
          const back = panel.context.path === shown;
          if (back) shown = null;
          (back ? comeBack : offerAgain)(app, panel);
        });
        document.addEventListener("workbench-tab", ({ target }) => {
          const panel = notebooks?.find((one) => one.node.contains(target));
          if (panel) ownTab(app, panel, target);
        });
        if (ASKED_FOR) app.restored?.then(() => app.commands.execute(COMMAND));
      },
    };
    return () => ({ __esModule: true, default: plugin });
  }

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = {
    init(scope) {
      shared = scope;
    },
    async get(module) {
      return module === "./extension" ? extension() : () => ({ default: [] });
    },
  };
})();
