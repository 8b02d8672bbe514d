/// Which linear layers of a model's blocks have low-rank adapters, and how large these are (LoRA, arXiv 2106.09685).
package struct AdapterSettings: Equatable, Sendable {
    /// The target that stands for every linear layer of a block, as in PEFT.
    package static let allLinear = "all-linear"

    /// r, the inner width of an adapter.
    package var rank: Int
    /// An adapter's product is scaled by s = alpha/rank.
    package var alpha: Double
    /// The adapted layers, in the terms of PEFT's `target_modules`: a layer's name, or its end from a dot on (`q_proj`,
    /// `mlp.c_proj`), or `all-linear`.
    package var targets: [String]
    /// How many of the last blocks have adapters; nil: all.
    package var topLayers: Int?
    /// The probability with which a training pass drops an element of an adapter's input.
    package var dropout: Double

    /// States which layers are adapted; `rank` must be positive, and `topLayers` within the model's layers.
    package init(rank: Int, alpha: Double, targets: [String] = [allLinear], topLayers: Int? = nil, dropout: Double = 0)
    {
        self.rank = rank
        self.alpha = alpha
        self.targets = targets
        self.topLayers = topLayers
        self.dropout = dropout
    }

    /// s.
    package var scale: Float { Float(alpha / Double(rank)) }

    /// The blocks that have adapters.
    package func adaptedBlocks(of configuration: ModelConfiguration) -> Range<Int> {
        configuration.layers - (topLayers ?? configuration.layers)..<configuration.layers
    }

    /// Whether a layer of that name inside a block (`attn.c_attn`) is adapted.
    package func adapts(_ layer: LinearLayer) -> Bool { targets.contains { layer.isNamed($0) } }

    /// The targets that are no linear layer of this shape's blocks.
    package func unknownTargets(of configuration: ModelConfiguration) -> [String] {
        targets.filter { target in !configuration.linearLayers.contains { $0.isNamed(target) } }
    }
}

/// A linear layer of a block: y = x·W (+ b).
package struct LinearLayer: Equatable, Sendable {
    /// Its name inside the block: `attn.c_attn`, `self_attn.q_proj`.
    package let name: String
    /// D_in, the width of x.
    package let inputs: Int
    /// D_out, the width of y.
    package let outputs: Int

    /// Whether `target` means this layer.
    func isNamed(_ target: String) -> Bool {
        target == AdapterSettings.allLinear || name == target || name.hasSuffix("." + target)
    }
}

extension ModelConfiguration {
    /// How many of a block's linear layers come before attention.
    var attentionInputLayers: Int { llama == nil ? 1 : 3 }

    /// The linear layers of a block, in the order in which they are multiplied.
    package var linearLayers: [LinearLayer] {
        let shapes =
            switch family {
            case .gpt2: GPT2Tensors.shapes(self, layer: 0)
            case .llama(let llama): LlamaTensors.shapes(self, llama, layer: 0)
            }
        return shapes.filter { $0.1.count == 2 }.map { name, shape in
            LinearLayer(
                name: String(name.dropFirst(blockPrefix(0).count).dropLast(".weight".count)),
                inputs: llama == nil ? shape[0] : shape[1],
                outputs: llama == nil ? shape[1] : shape[0]
            )
        }
    }
}
