"""The encoder as an ONNX graph, from the same 4-bit weights, expanded to f32.

Built from ONNX Runtime's own fused operators (attention, bias with GELU, sum with layer norm), as its
optimiser for transformers would leave it, so that the peer is at its best.
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import quantize_dynamic

FUSED = "com.microsoft"
NAMES = ("nothing", "f32", "int8", "int8-by-channel")


def container(path):
    """Header and tensors of `encoder.bl`; the format is in src/inference/src/container.rs."""
    data = np.memmap(path, mode="r")
    if bytes(data[:8]) != b"BLWEIGHT" or int(data[8:12].view("<u4")[0]) != 1:
        raise SystemExit(f"{path} is not a weights file of version 1")
    end = 16 + int(data[12:16].view("<u4")[0])
    header = json.loads(bytes(data[16:end]))
    start = (end + 63) // 64 * 64
    tensors = {}
    for entry in header["tensors"]:
        raw = data[start + entry["offset"] :][: entry["bytes"]]
        values = raw.view("<f4") if entry["dtype"] == "f32" else expanded(raw)
        tensors[entry["name"]] = values.reshape(entry["shape"])
    return header, tensors


def expanded(raw):
    """Blocks of `q4_0`: an f16 scale, then 16 bytes of which byte j holds weights j and j + 16."""
    blocks = raw.reshape(-1, 18)
    scales = np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)
    halves = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
    return (halves.astype(np.float32) - 8) * scales


class Graph:
    """Nodes and constants as they are added."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, operator, inputs, output, domain="", **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def save(self, path, width):
        ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["texts", "tokens"])
        vectors = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", width])
        graph = helper.make_graph(self.nodes, "encoder", [ids], [vectors], self.constants)
        domains = [helper.make_opsetid("", 17), helper.make_opsetid(FUSED, 1)]
        onnx.save(helper.make_model(graph, opset_imports=domains, ir_version=8), path)


def encoder(header, w, path):
    """Every text of a batch has the same length, so there is no mask: less work for the peer, not more."""
    a, g = header["architecture"], Graph()
    epsilon = float(a["layer_norm_eps"])

    def linear(x, layer, name):
        weight = g.constant(f"{layer}.{name}.weight", w[f"{layer}.{name}.weight"].T)
        return g.add("MatMul", [x, weight], f"{layer}.{name}")

    def add_norm(x, added, bias, norm):
        scale, shift = (g.constant(f"{norm}.{part}", w[f"{norm}.{part}"]) for part in ("weight", "bias"))
        bias = g.constant(bias, w[bias])
        return g.add(
            "SkipLayerNormalization", [x, added, scale, shift, bias], f"{norm}.sum", domain=FUSED, epsilon=epsilon
        )

    words = g.add("Gather", [g.constant("word", w["word"]), "ids"], "words")
    first = g.constant("first", np.array([0]))
    length = g.add("Shape", ["ids"], "length", start=1, end=2)
    table = g.constant("position", w["position"][a["position_offset"] :] + w["type"].reshape(1, -1))
    places = g.add("Slice", [table, first, length, g.constant("axis", np.array([0]))], "places")
    sums = g.add("Add", [words, places], "sums")
    norm = [g.constant(f"norm.{part}", w[f"norm.{part}"]) for part in ("weight", "bias")]
    x = g.add("LayerNormalization", [sums, *norm], "embedded", axis=-1, epsilon=epsilon)
    for n in range(a["layers"]):
        side_by_side = [w[f"{n}.{part}.weight"].T for part in ("query", "key", "value")]
        weight = g.constant(f"{n}.qkv.weight", np.concatenate(side_by_side, axis=1))
        bias = np.concatenate([w[f"{n}.{part}.bias"] for part in ("query", "key", "value")])
        inputs = [x, weight, g.constant(f"{n}.qkv.bias", bias)]
        context = g.add("Attention", inputs, f"{n}.attention", domain=FUSED, num_heads=a["heads"])
        x = add_norm(x, linear(context, n, "output"), f"{n}.output.bias", f"{n}.norm")
        bias = g.constant(f"{n}.up.bias", w[f"{n}.up.bias"])
        wide = g.add("BiasGelu", [linear(x, n, "up"), bias], f"{n}.gelu", domain=FUSED)
        x = add_norm(x, linear(wide, n, "down"), f"{n}.down.bias", f"{n}.last_norm")
    mean = g.add("ReduceMean", [x], "mean", axes=[1], keepdims=0)
    g.add("LpNormalization", [mean], "vectors", axis=-1, p=2)
    g.save(path, a["hidden"])


def nothing(width, path):
    """Same input and output, no work: what a call of ONNX Runtime costs."""
    g = Graph()
    floats = g.add("Cast", ["ids"], "floats", to=TensorProto.FLOAT)
    mean = g.add("ReduceMean", [floats], "mean", axes=[1], keepdims=1)
    g.add("Mul", [mean, g.constant("ones", np.ones((1, width), np.float32))], "vectors")
    g.save(path, width)


def build(weights, folder):
    """Paths of the graphs by name; built once for each model."""
    header, tensors = container(weights)
    folder = Path(folder) / header["hash"][:16]
    if not folder.exists():
        # Whole or not at all.
        unfinished = folder.with_suffix(".part")
        unfinished.mkdir(parents=True, exist_ok=True)
        path = {name: unfinished / f"{name}.onnx" for name in NAMES}
        nothing(header["architecture"]["hidden"], path["nothing"])
        encoder(header, tensors, path["f32"])
        # The tool does not know the fused operators' outputs by itself.
        floats = {"DefaultTensorType": TensorProto.FLOAT}
        # As it does by default: one scale a matrix, the word table too.
        quantize_dynamic(path["f32"], path["int8"], extra_options=floats)
        # As well as it can: a scale for each output, words as they are.
        quantize_dynamic(
            path["f32"],
            path["int8-by-channel"],
            op_types_to_quantize=["MatMul", "Attention"],
            per_channel=True,
            extra_options=floats,
        )
        unfinished.rename(folder)
    return {name: str(folder / f"{name}.onnx") for name in NAMES}
