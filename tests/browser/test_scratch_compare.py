from __future__ import annotations
import sys
import pytest
sys.path.insert(0, "/tmp/compare")
from lab import Lab
pytestmark = pytest.mark.browser
MAKE = """
import sys; sys.path.insert(0, "/tmp/compare"); sys.path.insert(0, "/tmp/wt/compare/tests")
from demo import make
from trackbook import settings
store, ids = make("%s/.trackbook")
settings.register(store.id, store.path)
import trackbook as tb, numpy as np
print(store.id, " ".join(ids))
"""
def test_shots(lab: Lab, notebook, project):
    msgs=[]
    lab.page.on("console", lambda m: msgs.append(m.text) if m.type in ("error","warning") else None)
    lab.page.on("pageerror", lambda e: msgs.append("PAGEERROR "+str(e)))
    path = notebook(MAKE % project)
    lab.open(path); lab.run_all()
    from playwright.sync_api import expect
    expect(lab.output(0)).to_be_visible()
    store, *ids = lab.output(0).inner_text().split()
    lab.page.set_viewport_size({"width":1500,"height":1000})
    lab.command("application:toggle-left-area") if False else None
    rel=[{"id":i+1,"kind":k,"key":"metrics.test_f1","options":o} for i,(k,o) in enumerate([("scatter",{"log":"x","x":"params.lr"}),("parallel",{}),("bar",{"by":"seed"}),("histogram",{}),("importance",{})])]
    lab.command("trackbook:compare", store=store, refs=ids, view={"baseline":ids[0],"relations":rel,"curves":{"x":"step","smoothing":0.6,"log":""}})
    tab=lab.page.locator("#trackbook-compare")
    expect(tab.locator("svg.marks").first).to_be_visible()
    lab.page.wait_for_timeout(1500)
    o=tab.locator(".tb-Overlay").first
    b=o.bounding_box()
    lab.page.mouse.move(b["x"]+b["width"]*.6,b["y"]+b["height"]*.5)
    lab.page.wait_for_timeout(200)
    lab.page.screenshot(path="/tmp/compare/shot1.png")
    lab.page.mouse.down(); lab.page.mouse.move(b["x"]+b["width"]*.8,b["y"]+80); lab.page.mouse.up()
    lab.page.wait_for_timeout(600)
    lab.page.screenshot(path="/tmp/compare/shot2.png")
    sc=tab.locator(".tb-CompareWidget")
    for i,y in enumerate((500,1100,1700)):
        sc.evaluate("(e,y)=>e.scrollTo(0,y)",y); lab.page.wait_for_timeout(1200)
        lab.page.screenshot(path=f"/tmp/compare/shot{3+i}.png")
    lab.command("apputils:change-theme", theme="JupyterLab Dark"); lab.page.wait_for_timeout(800)
    sc.evaluate("(e,y)=>e.scrollTo(0,y)",0); lab.page.wait_for_timeout(1200)
    lab.page.screenshot(path="/tmp/compare/shot6.png")
    sc.evaluate("(e,y)=>e.scrollTo(0,y)",1100); lab.page.wait_for_timeout(800)
    lab.page.screenshot(path="/tmp/compare/shot7.png")
    lab.command("apputils:change-theme", theme="JupyterLab Light")
    print("\n".join(msgs[:20]))
