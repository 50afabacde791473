from mxnet import autograd, gluon, np, npx
from mxnet.gluon import nn

npx.set_np()
