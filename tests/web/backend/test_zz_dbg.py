import pytest
from tests.web.backend.test_law import *
def test_dbg(db):
    for number, made in enumerate(generate(200, seed=4)):
        files={"A": made.text}
        cluster = create_cluster(actor=None, name=f"law {number}", node_names=list(files))
        absorb(cluster, meaning(files))
        a=compile_cluster(cluster)["A"]; b=meaning(files)["A"]
        if a!=b:
            for f in ('globals','instances','virtual_servers','other'):
                x,y=getattr(a,f),getattr(b,f)
                if x!=y:
                    print(made.name, made.kind, f)
                    if isinstance(x,tuple):
                        print(len(x),len(y))
                        for p,q in zip(x,y):
                            if p!=q: print('A',p); print('B',q); break
                    else: print(x); print(y)
            (open('/tmp/law_bad.conf','w')).write(made.text)
            break
        document = document_text(cluster)
        seen = {node: conf.expand_for(document, node).model for node in files}
        if seen != meaning(files):
            print("DOC", made.name, made.kind); open('/tmp/law_bad.conf','w').write(made.text); open('/tmp/law_doc.conf','w').write(document); 
            a=seen["A"]; b=meaning(files)["A"]
            for f in ('globals','instances','virtual_servers','other'):
                x,y=getattr(a,f),getattr(b,f)
                if x!=y: print(f, [ (p,q) for p,q in zip(x,y) if p!=q][:1] if isinstance(x,tuple) else (x,y))
            break
