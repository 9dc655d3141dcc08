"""The page's own look on top of Gradio's base theme; no font or picture comes from elsewhere."""

__all__ = ["STYLE"]

STYLE = """
.gradio-container { max-width: 1320px !important; margin: 0 auto !important; }
.gradio-container .main { padding: 12px 16px !important; }
footer { display: none !important; }

#head { align-items: center; flex-wrap: nowrap; margin-bottom: 2px; }
#title { flex: 1 1 260px !important; min-width: 0; width: auto; }
.gradio-container .html-container, .gradio-container .block.padded:has(> .html-container) {
  padding: 0 !important; }
#head h1 { font-size: 1.3rem; margin: 0; line-height: 1.3; }
#head p { margin: 0; color: var(--body-text-color-subdued); font-size: .88rem; }
#language { border: 0; background: none; padding: 0; min-width: 180px !important; width: auto;
  flex: 0 0 auto !important; }
#language .wrap { justify-content: flex-end; flex-wrap: nowrap; }

.card {
  border: 1px solid var(--border-color-primary); border-radius: 10px; padding: 14px;
  background: var(--background-fill-primary); gap: 10px;
}
.card .card-title h2 { font-size: 1rem; margin: 0; }
.card .block { box-shadow: none; }
.card fieldset .wrap { gap: 6px; }
.card fieldset label { padding: 5px 9px; }
.card .form { gap: 1px; }
#upload { min-height: 92px; }
#upload .wrap { font-size: .9rem; }

.facts { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0; }
.facts div { min-width: 0; }
.facts dt { color: var(--body-text-color-subdued); font-size: .74rem; }
.facts dd { margin: 0; font-size: .9rem; overflow-wrap: anywhere; }

.note { color: var(--body-text-color-subdued); font-size: .84rem; margin: 0;
  overflow-wrap: anywhere; }
.numbers { font-variant-numeric: tabular-nums; font-size: .88rem; margin: 0; }
.problem { color: #b42318; font-size: .9rem; margin: 0; overflow-wrap: anywhere; }
p.problem { background: #fef3f2; border: 1px solid #fecdca; border-radius: 8px; padding: 8px 12px; }
.warning { color: #93590a; font-size: .84rem; overflow-wrap: anywhere; }
.warning ul { margin: 2px 0 0; padding-left: 18px; }
.dark .problem { color: #fda29b; }
.dark p.problem { background: #3b1513; border-color: #7a271a; }
.dark .warning { color: #fec84b; }

.estimate { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 16px; }
.estimate p { margin: 0; font-size: .86rem; }
.estimate .big { font-size: 1.1rem; font-weight: 600; }

.line { display: flex; justify-content: space-between; align-items: center; gap: 10px; }
.line b { overflow-wrap: anywhere; font-size: .92rem; }
#now { align-items: center; flex-wrap: nowrap; height: 26px; }
#now > .block { flex: 1 1 auto; width: auto; min-width: 0; }
#cancel { flex: 0 0 auto; width: auto; min-width: 90px; }
.running { display: flex; flex-direction: column; gap: 8px; }
.bar { height: 10px; border-radius: 5px; overflow: hidden;
  background: var(--border-color-primary); }
.bar i { display: block; height: 100%; background: var(--color-accent); transition: width .4s; }
.preview { display: flex; align-items: center; justify-content: center; min-height: 190px;
  border-radius: 8px; background: var(--background-fill-secondary); overflow: hidden; }
.preview img { width: 100%; max-height: 320px; object-fit: contain; margin: 0; }

button.small, a.download {
  border: 1px solid var(--border-color-primary); border-radius: 7px; padding: 4px 12px;
  font-size: .84rem; cursor: pointer; background: var(--background-fill-primary);
  color: var(--body-text-color); white-space: nowrap; text-decoration: none;
}
button.small:hover, a.download:hover { border-color: var(--color-accent); }
button.small.cancel { color: #b42318; border-color: #fda29b; }
a.download { background: var(--color-accent); border-color: var(--color-accent); color: #fff; }

.history { list-style: none; margin: 0; padding: 0; max-height: 260px; overflow-y: auto; }
.history li { display: flex; align-items: center; gap: 10px; padding: 7px 4px; margin: 0;
  border-bottom: 1px solid var(--border-color-primary); }
.history li:last-child { border-bottom: 0; }
.history li.shown { background: var(--background-fill-secondary); border-radius: 6px; }
.history .number { min-width: 1.6em; text-align: right; color: var(--body-text-color-subdued);
  font-variant-numeric: tabular-nums; }
.history .what { flex: 1; min-width: 0; display: flex; flex-direction: column; }
.history .what b { font-size: .88rem; font-weight: 600; overflow-wrap: anywhere; }
.history .what small { color: var(--body-text-color-subdued); font-size: .78rem; }
.history .what .problem { font-size: .8rem; }
.history .state { font-size: .8rem; color: var(--body-text-color-subdued); white-space: nowrap; }
.history .is-done .state { color: #067647; }
.history .is-failed .state { color: #b42318; }
.dark .history .is-done .state { color: #75e0a7; }

.result { display: flex; flex-direction: column; gap: 8px; }
.result video { width: 100%; max-height: 360px; border-radius: 8px; background: #000; }

@media (max-width: 640px) {
  .gradio-container .main { padding: 8px !important; }
  #head { flex-wrap: wrap; }
  #language .wrap { justify-content: flex-start; }
  .card { padding: 10px; }
}
"""
