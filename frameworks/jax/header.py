import jax
import optax
from flax import nnx
from jax import numpy as jnp
