from mxnet import autograd, gluon, init, np, npx
from mxnet.gluon import nn

npx.set_np()
