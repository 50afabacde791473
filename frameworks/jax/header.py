import jax
from flax import linen as nn
from jax import numpy as jnp
