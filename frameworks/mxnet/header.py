from mxnet import np, npx
from mxnet.gluon import nn
