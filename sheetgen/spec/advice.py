"""What people call things in PyTorch, Keras and textbooks, and what is called so here; and what is a misspelling."""

import re
from collections.abc import Collection

from sheetgen.spec.catalog import OPTIMIZERS

__all__ = ["advice", "home", "nearest"]

_RATES = "The rates stand at the top of the file: learning_rates = [0.1, 0.5]."
_STEPS = "The number of updates stands at the top of the file: steps = 100. With the full batch an epoch is one step."
_INIT = "'random' draws as torch.nn.Linear does; for anything else write the numbers."
_NOT_OFFERED = "It is not offered: remove it."
_RATE_NAMES = "lr lrs rate rates learningrate eta stepsize"
_STEP_NAMES = "epochs epoch iterations iters niter maxiter nepochs numepochs numsteps maxsteps"
_INIT_NAMES = (
    "glorot glorotuniform glorotnormal xavier xavieruniform xaviernormal he heuniform henormal kaiming kaiminguniform "
    "kaimingnormal lecun lecununiform lecunnormal uniform normal orthogonal ones one"
)

# where, as a path of keys -> advice -> the names it is for, as `_plain` writes them
_KNOWN_ELSEWHERE: dict[str, dict[str, str]] = {
    "network.loss": {
        "It is called 'mse' here.": "meansquarederror meansquared meansquarederrors",
        "'half_squared_error' is half of it, with half its gradients; 'mse' with reduction = \"sum\" is all of it.":
            "sse ss rss squarederror squarederrors sumsquarederror sumsquarederrors sumofsquarederrors sumofsquares",
        "'half_squared_error' sums ½·(t − a)² over the outputs; 'mse' is the mean of (t − a)².":
            "halfmse halfmeansquarederror halfsse squarederrorhalf quadratic l2 squaredl2",
        "It is not offered; for targets that are any numbers there are 'mse' and 'half_squared_error'.":
            "mae l1 meanabsoluteerror absoluteerror smoothl1 huber mape meanabsolutepercentageerror msle logcosh rmse "
            "meansquaredlogarithmicerror rootmeansquarederror poisson poissonnll gaussiannll cosine cosinesimilarity "
            "cosineembedding quantile pinball",
        "It is called 'binary_cross_entropy' here; the last layer is of 'sigmoid'.":
            "bce bcewithlogits binarycrossentropywithlogits sigmoidcrossentropy sigmoidcrossentropywithlogits log "
            "logistic binary",
        "It is called 'cross_entropy' here; the last layer is of 'softmax', and a target is a row such as [0, 1, 0].":
            "ce xent categorical categoricalcrossentropy sparsecategoricalcrossentropy sparsecrossentropy softmax "
            "softmaxcrossentropy softmaxcrossentropywithlogits crossentropywithlogits",
        "With the logarithm of a softmax it is 'cross_entropy', which takes that logarithm itself.":
            "nll negativeloglikelihood",
        "It is not offered; 'cross_entropy' has the same gradients.":
            "kl kld kldiv kldivergence kullbackleibler kullbackleiblerdivergence",
        "It is not offered; for classes there are 'binary_cross_entropy' and 'cross_entropy'.":
            "hinge squaredhinge categoricalhinge multimargin multilabelmargin softmargin multilabelsoftmargin focal "
            "marginranking hingeembedding tripletmargin ctc dice binaryfocalcrossentropy categoricalfocalcrossentropy",
    },
    "network.layers.activation": {
        "It is called 'identity' here.": "linear none no null passthrough",
        "It is called 'sigmoid' here.": "logistic expit logsig",
        "It is called 'tanh' here.": "hyperbolictangent tansig",
        "It is called 'relu' here.": "rectifier rectifiedlinear rectifiedlinearunit ramp",
        "It is called 'leaky_relu' here.": "lrelu leaky",
        "Its slope is trained, which is not offered; 'leaky_relu' has a fixed negative_slope.": "prelu parametricrelu",
        "It is not offered; 'relu', 'leaky_relu' and 'softplus' are its relatives.":
            "elu gelu selu celu silu swish mish hardswish hardsilu relu6 crelu rrelu glu swiglu geglu quickgelu "
            "thresholdedrelu squaredrelu squareplus maxout",
        "It is not offered; 'sigmoid' and 'tanh' are its relatives.":
            "hardsigmoid hardtanh softsign logsigmoid tanhshrink hardshrink softshrink arctan atan sin sine cos exp "
            "exponential gaussian rbf",
        "Its slope is 0, and nothing could be learnt; 'sigmoid' is its smooth relative.":
            "step heaviside binarystep unitstep hardlim hardlimit sign signum threshold perceptron binary",
        "It is not offered; for classes there is 'softmax', and the loss cross_entropy takes the logarithm.":
            "logsoftmax softmin sparsemax softargmax argmax",
    },
    "training.optimizer.name": {
        "It is called 'sgd' here.":
            "gd gradientdescent stochasticgradientdescent batchgradientdescent vanilla steepestdescent minibatch",
        "It is called 'momentum' here.": "sgdmomentum momentumsgd sgdwithmomentum sgdm heavyball classicalmomentum",
        "It is called 'nesterov' here.": "nag nesterovmomentum sgdnesterov nesterovsgd nesterovacceleratedgradient",
        "It is not offered; 'adam' and 'adamw' are its relatives.":
            "nadam adamax radam amsgrad adabelief lamb lion sparseadam yogi adafactor adan ranger sophia muon lazyadam",
        "It is not offered; 'rmsprop' and 'adagrad' are its relatives.": "adadelta rprop ftrl shampoo",
        "It is not offered; 'sgd' is the plainest of these.":
            "asgd lbfgs bfgs newton conjugategradient levenbergmarquardt lars",
    },
    "network.layers.weights": {
        "Equal weights make equal units: write numbers, or 'random'.": "zeros zero",
        _INIT: _INIT_NAMES,
    },
    "network.layers.bias": {"For no bias leave the key out.": "none no null false", _INIT: _INIT_NAMES},
    "training.batch": {
        "Every sample in each update is 'full'.": "batch fullbatch all gd",
        "One sample after the other is 'online'.": "stochastic sgd single sample sequential incremental one",
        "Write its size, such as batch = 10.": "mini minibatch minibatches batches",
    },
    "training.updates": {
        "It is called 'simultaneous' here.": "parallel atonce standard together",
        "It is called 'output_first' here.": "sequential immediate lastfirst backwards inplace",
    },
    "network.reduction": {
        "It is called 'mean' here.": "average avg sumoverbatchsize auto",
        "It is called 'sum' here.": "total add",
        "A loss is one number here: 'mean' or 'sum'.": "none no null batchmean",
    },
    "training.schedule.name": {
        "It is called 'step' here.": "steplr stepdecay staircase stepwise",
        "It is called 'exponential' here.": "exponentiallr exp exponentialdecay",
        "It is called 'cosine' here.": "cosineannealing cosineannealinglr cosinedecay cos",
        "It is called 'one_cycle' here.": "onecyclelr onecyclepolicy 1cycle superconvergence",
        "It is called 'inverse_time' here.": "inversetimedecay timebased timebaseddecay hyperbolic timedecay",
        "For a rate that stays leave the table out.": "none no null constant constantlr",
        "It is not offered: remove the table, or choose another.":
            "multistep multisteplr milestones polynomial polynomiallr polynomialdecay linear linearlr cyclic cycliclr "
            "reducelronplateau plateau cosineannealingwarmrestarts cosinedecayrestarts warmup lambda lambdalr "
            "multiplicativelr sequentiallr piecewiseconstant piecewiseconstantdecay triangular",
    },
    "training.schedule.anneal_strategy": {"It is called 'cos' here.": "cosine", "It is called 'linear' here.": "lin"},
    "data.scale": {
        "It is called 'standard' here.": "zscore standardscaler normal standardize zscores std",
        "It is called 'minmax' here.": "minmaxscaler unit range normalize",
        "For inputs as they are leave it out.": "none no null",
    },
    "published.symbol": {"It is called 'E_total' here.": "loss error e cost total totalerror"},
    "": {
        _RATES: _RATE_NAMES,
        _STEPS: _STEP_NAMES,
        "It is called title here.": "name heading",
        "It is called about here.": "description text comment notes summary",
        "It is called threshold here.": "tolerance tol target goal",
        "It is called seed here.": "randomseed randomstate manualseed rng",
        "The samples stand under [data], as inputs and targets.": "x y samples features labels outputs",
    },
    "data": {
        "It is called inputs here.": "x xs xtrain features samples",
        "It is called file here: the name of a CSV file beside this one.": "csv path filename source dataset",
        "It is called classes here: the name of the column of the file.": "labelcolumn class label category onehot",
        "It is called scale here: \"standard\" or \"minmax\".": "scaler normalize normalise normalization standardize",
        "It is called test here: a share such as 0.2.": "testsize validation validationsplit split holdout",
        "It is called targets here.": "y ys ytrain labels outputs output t expected desired truth",
    },
    "network": {
        "It is called loss here.": "criterion cost objective error",
        "It is called reduction here: \"mean\" or \"sum\".": "reduce sizeaverage",
        "Each layer is a table [[network.layers]].": "hidden hiddenlayers sizes units shape architecture",
    },
    "network.layers": {
        "It is called units here.": "neurons nodes size width outfeatures outputs outputdim numunits hiddensize",
        "A layer takes what the layer before it gives: remove it.":
            "inputs infeatures inputdim inputshape inputsize fanin",
        "It is called activation here.": "act nonlinearity",
        "It is called weights here.": "w weight kernel weightinitializer kernelinitializer initializer init",
        "It is called bias here: numbers, \"zeros\" or \"random\"; leave it out for none.":
            "b biases usebias biasinitializer",
        "It is called negative_slope here.": "alpha slope leak",
        "It is called train_bias here.": "trainable trainablebias biastrainable frozen requiresgrad",
        "It is called kind here; without it a layer is linear.": "type layer class",
        _NOT_OFFERED: "dropout batchnorm batchnormalization regularizer kernelregularizer biasregularizer name",
    },
    "training": {
        _RATES: _RATE_NAMES,
        _STEPS: _STEP_NAMES,
        "It is called batch here: how many samples an update takes, \"full\" or \"online\".":
            "batchsize minibatch minibatchsize",
        "It is called shuffle here: true or false.": "shuffled randomize permute permutation randomorder",
        "The order is drawn by the seed at the top of the file.": "seed randomstate",
        "Every batch has the same size: remove it.": "droplast",
        "It is a table of its own: [training.schedule] with a name.":
            "scheduler lrscheduler lrschedule learningrateschedule",
        "It is called optimizer here.": "optim optimiser solver algorithm method",
        "It belongs in [training.optimizer].": "name momentum nesterov betas alpha eps weightdecay lrdecay",
    },
    "training.optimizer": {
        _RATES: _RATE_NAMES,
        "With momentum sgd is an optimizer of its own: write name = \"momentum\".": "momentum mu",
        "With Nesterov's momentum sgd is an optimizer of its own: write name = \"nesterov\".": "nesterov",
        "The options of adam and adamw are called betas = [0.9, 0.999].": "beta beta1 beta2 b1 b2",
        "It is called eps here.": "epsilon fuzz",
        "It is called alpha here.": "rho smoothing",
        "It is called weight_decay here.": "wd l2 decoupledweightdecay",
        "weight_decay shrinks weights; lr_decay of adagrad shrinks the rate.": "decay",
        "It is called name here.": "type kind class method",
        _NOT_OFFERED: "amsgrad centered maximize foreach fused capturable differentiable clipnorm clipvalue "
            "globalclipnorm useema emamomentum jitcompile",
        "It is a table of its own: [training.schedule] with a name.": "schedule scheduler lrschedule lrscheduler",
        "It is called decay_bias here: false leaves the biases out.":
            "biasdecay weightdecaybias decaybiases excludebias nobiasdecay",
    },
    "training.schedule": {
        "The rates stand at the top of the file: a schedule starts from them, and one_cycle rises to them.":
            "lr rate maxlr baselr initiallr initiallearningrate learningrate",
        "A schedule counts updates: total_steps of one_cycle, T_max of cosine.":
            "epochs stepsperepoch epoch steps maxepochs totaliters decaysteps",
        "It is called step_size here.": "every size",
        "It is called gamma here.": "factor decayrate ratedecay",
        "It is called eta_min here.": "minlr etamin lrmin alpha",
        "It is called name here.": "type kind class policy",
        "The momentum stays as it is: remove it.": "cyclemomentum basemomentum maxmomentum",
        "It is not offered: remove it.": "threephase lastepoch verbose warmup warmupsteps milestones",
    },
    "published": {
        "It is called symbol here.": "name variable key parameter weight",
        "It is called step here.": "epoch iteration update",
        "It is called value here.": "number",
        "It is called note here.": "source comment text",
    },
}  # fmt: skip

# a key -> where it belongs: what stands under a table's head in TOML is that table's, a blank line or not
_HOMES = {
    "at the top of the file, above the first [table]": "learning_rates steps threshold title about seed",
    "in [data]": "inputs targets file classes scale test names test_inputs test_targets",
    "in [network]": "loss layers reduction",
    "in [[network.layers]]": "units activation weights bias train_bias negative_slope",
    "in [training]": "batch shuffle updates optimizer optimizers schedule",
    "in [[published]]": "symbol value note",
}


def advice(path: str, name: str, known: Collection[str]) -> str:
    """What to do about an unknown name or key at the path of keys; empty where nothing can be said.

    >>> advice("network.loss", "nn.MSELoss", ["mse"]), advice("network.loss", "mae", ["mse"])[:18]
    ("Did you mean 'mse'?", 'It is not offered;')
    """
    plain = _plain(name)
    if not any(plain == _plain(one) for one in known):
        for text, names in _KNOWN_ELSEWHERE.get(_kind(path), {}).items():
            if plain in names.split():
                return text
    return nearest(name, known)


def home(path: str, key: str) -> str:
    """To which optimizer or table a key belongs that stands in the table at the path; empty for no key of a spec."""
    owners = [owner for owner, options in OPTIMIZERS.items() if any(one.key == key for one in options.values())]
    if owners and _kind(path) == "training.optimizer":
        return f"It is an option of {', '.join(owners)}."
    return next((f"It belongs {place}." for place, keys in _HOMES.items() if key in keys.split()), "")


def _kind(path: str) -> str:
    return re.sub(r"\[\d+\]", "", path).replace("optimizers", "optimizer")


def nearest(name: str, known: Collection[str]) -> str:
    """A question that names the one of which the name is a misspelling or the beginning, or nothing.

    >>> nearest("rleu", ["relu", "tanh"]), nearest("Half-Squared Eror", ["half_squared_error"])
    ("Did you mean 'relu'?", "Did you mean 'half_squared_error'?")
    >>> nearest("mre", ["mse"]), nearest("soft", ["softmax", "softplus"]), nearest("iden", ["identity"])
    ('', '', "Did you mean 'identity'?")
    """
    plain = _plain(name)
    close = sorted((errors, one) for one in known if (errors := _errors(plain, _plain(one))) is not None)
    longer = [one for one in known if len(plain) > 2 and _plain(one).startswith(plain)]
    found = close[0][1] if close else longer[0] if len(longer) == 1 else ""
    return f"Did you mean {found!r}?" if found else ""


def _plain(name: str) -> str:
    """The name without what differs between libraries.

    >>> _plain("torch.nn.MSELoss()"), _plain("leaky-ReLU"), _plain("loss")
    ('mse', 'leakyrelu', 'loss')
    """
    last = name[:80].split("(")[0].rpartition(".")[2]
    return re.sub(r"(?<=.)(loss|activation|function|optimizer)$", "", re.sub(r"[\W_]", "", last.lower()))


def _errors(name: str, known: str) -> int | None:
    """How many letters are wrong, missing, too many or swapped; None where that makes it another word.

    In a word of up to four letters one wrong letter is another word (mae, mse), but not a swapped or doubled one.
    """
    allowed = 2 if len(known) >= 8 else 1
    if abs(len(name) - len(known)) > allowed or (len(known) <= 4 and set(name) != set(known)):
        return None
    above, row = list[int](), [*range(len(known) + 1)]
    for i, letter in enumerate(name):
        before, above, row = above, row, [i + 1]
        for j, other in enumerate(known):
            row.append(min(above[j] + (letter != other), above[j + 1] + 1, row[j] + 1))
            if i and j and letter == known[j - 1] and other == name[i - 1]:
                row[-1] = min(row[-1], before[j - 1] + 1)
    return row[-1] if row[-1] <= allowed else None
