"""What the names of the machine's alternatives mean in words, and for which machines a choice matters.

The command line's help, the page's form and its list of conventions all read these tables.
"""

_NONLINEARITIES = {
    "tanh": "tanh: within [-1, 1]",
    "identity": "as it is",
    "clip": "clipped to [0, 1]",
    "relu": "relu: at least 0",
    "sigmoid": "sigmoid: within [0, 1]",
}

WORDS: dict[str, dict[str, str]] = {
    "controller": {"lstm": "LSTM", "gru": "GRU", "recurrent": "plain recurrent", "feedforward": "feed-forward"},
    "gru_reset_gate": {
        "after_product": "after the recurrent product",
        "before_product": "before the recurrent product",
    },
    "head_roles": {"read_or_write": "each head reads or writes", "read_and_write": "each head does both"},
    "head_input": {"hidden": "the hidden state h_t", "cell": "the LSTM's cell c_t"},
    "output_input": {
        "hidden_and_reads": "h_t and the reads r_t",
        "input_and_reads": "x_t and the reads r_t",
        "hidden": "h_t alone",
    },
    "output_activation": {"sigmoid": "a sigmoid for each channel", "softmax": "one softmax over all channels"},
    "similarity": {
        "cosine": "cosine of the angle",
        "dot": "dot product",
        "scaled_dot": "dot product / √W",
        "negative_euclidean": "minus the distance",
        "pearson": "Pearson correlation",
    },
    "similarity_epsilon_placement": {
        "each_norm": "a floor under each norm",
        "norm_product": "a floor under the product of norms",
        "added_to_norm_product": "added to the product of norms",
        "inside_root": "added inside the root of the squared product",
    },
    "content_softmax": {
        "each_head": "the locations of each head",
        "heads_of_a_kind": "those of all read heads, and of all write heads",
        "each_location": "each location alone: w^c is 1",
    },
    "initial_memory": {
        "constant": "one constant",
        "trainable_constant": "begins as one constant, then learned",
        "learned": "learned",
        "learned_tanh": "tanh of what is learned",
        "learned_sigmoid": "sigmoid of what is learned",
        "random_normal": "normal noise, drawn once",
        "random_uniform": "uniform noise, drawn once",
        "fresh_uniform": "uniform noise, anew for each episode",
        "given": "given, not trained",
        "zeros": "all zeros",
    },
    "initial_weighting": {
        "learned": "softmax of learned logits",
        "learned_decaying": "learned, with a bias towards location 0",
        "one_hot": "one-hot at location 0",
        "uniform": "the same at every location",
        "given": "given, not trained",
        "zeros": "all zeros: does not sum to 1",
    },
    "initial_read": {
        "zeros": "all zeros",
        "learned": "learned",
        "learned_tanh": "tanh of what is learned",
        "random": "noise, drawn once",
        "fresh_uniform": "uniform within ±√(6/W), anew for each episode",
        "fresh_tanh_normal": "tanh of a normal, anew for each episode",
        "from_memory": "what w_0 reads from M_0",
    },
    "initial_controller": {"learned": "learned", "given": "given, not trained", "zeros": "all zeros"},
    "key_activation": _NONLINEARITIES,
    "key_strength_activation": {"scaled_sigmoid": "10 sigmoid: at most 10"},
    "interpolation_gate_activation": {"hard_sigmoid": "a line, cut at 0 and 1"},
    "previous_weighting": {"own": "the head's own", "read_head": "that of the read head of its number"},
    "shift_kernel": {
        "softmax": "softmax over the taps",
        "softmax_of_relu": "softmax of their relu",
        "softmax_of_softplus": "softmax of their softplus",
        "fractional": "one number, between two taps",
        "ones": "1 at every tap: sums to more than 1",
    },
    "sharpening_activation": {
        "softplus": "1 + softplus",
        "relu": "1 + relu",
        "elu": "1 + (elu + 1)",
        "scaled_sigmoid": "1 + 4 sigmoid: at most 5",
    },
    "sharpening_epsilon_placement": {
        "normaliser": "to the sum that normalises",
        "before_power": "to each w~(i), before the power",
    },
    "erase_activation": {
        "hard_sigmoid": "a line, cut at 0 and 1",
        "relu": "relu: may exceed 1",
        "ones": "1: all is erased",
        "none": "0: nothing is erased",
    },
    "add_activation": _NONLINEARITIES,
    "schedule": {
        "address_first": "address, then read and write with w_t",
        "address_last": "write and read with w_{t-1}, address last",
    },
    "step_order": {
        "read_then_write": "all heads see M_{t-1}",
        "write_then_read": "read heads see M_t",
        "listed": "one after the other, as listed",
    },
    "write_order": {"erases_then_adds": "all erases, then all adds", "one_by_one": "one head after the other"},
    "shift_edge": {"circular": "the other end", "zero_padded": "nothing"},
}
"""Field of `MachineConfig`, alternative, words; an alternative whose name is plain is left out."""

MATTERS: dict[str, dict[str, tuple[str, ...]]] = {
    "controller_activation": {"controller": ("feedforward", "recurrent")},
    "controller_layer_sizes": {"controller": ("feedforward",)},
    "gru_reset_gate": {"controller": ("gru",)},
    "head_input": {"controller": ("lstm",)},
    "head_order": {"step_order": ("listed",)},
    "similarity_epsilon": {"similarity": ("cosine", "pearson")},
    "similarity_epsilon_placement": {"similarity": ("cosine", "pearson")},
    "initial_memory_value": {"initial_memory": ("constant", "trainable_constant")},
    "initial_memory_scale": {"initial_memory": ("learned", "learned_tanh", "learned_sigmoid", "random_normal")},
    "initial_weighting_scale": {"initial_weighting": ("learned", "learned_decaying")},
}
"""Fields that matter only where another field has one of these values: elsewhere they change nothing, or must keep
their default."""
