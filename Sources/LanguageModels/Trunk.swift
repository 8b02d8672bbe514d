import Tensors

/// Rows of the residual stream that a head reads, and their final norm.
///
/// R rows.
struct HiddenRows {
    /// Packed row numbers.
    let rows: [Int32]
    /// Residual stream after the last block, [R, D].
    let input: Tensor
    let mean: Tensor
    let rstd: Tensor
    /// The final norm of input, [R, D], fp32.
    let hidden: Tensor
}

extension LanguageModel {
    /// Runs embeddings and blocks; returns the residual stream after the last block, [N, D].
    ///
    /// A recorded pass keeps the activations of every block that `trunkBackward` visits; the others share one set.
    func trunkForward(
        tokens: [Int32],
        positions: [Int32],
        recorded: Bool,
        packed: SamplingWeights? = nil,
        attend: (Int, BlockActivations) -> Void
    ) -> Tensor {
        let count = tokens.count
        if recorded && workspace.recorded.isEmpty {
            let productType = precision.elementType
            workspace.recorded = (0..<configuration.layers).map { _ in BlockScratch(productType) }
        }
        let pass = blockPass(tokens: count)
        if let rotary = pass.rotary {
            rotaryTable(
                positions: positions,
                frequencies: rotaryFrequencies,
                cosines: rotary.cosines,
                sines: rotary.sines
            )
        }
        let output = recorded ? workspace.trunkOutput.tensor([count, configuration.width]) : nil
        var activations = blockActivations(layer: 0, tokens: count, recorded: recorded)
        switch configuration.family {
        case .gpt2:
            embeddingForward(
                tokens: tokens,
                positions: positions,
                tokenEmbedding: value(configuration.tokenEmbeddingName),
                positionEmbedding: value("transformer.wpe.weight"),
                into: activations.input
            )
        case .llama: gatherRows(value(configuration.tokenEmbeddingName), tokens, into: activations.input)
        }
        for layer in 0..<configuration.layers {
            let isLast = layer == configuration.layers - 1
            let next = isLast ? nil : blockActivations(layer: layer + 1, tokens: count, recorded: recorded)
            let destination = next?.input ?? output ?? activations.input
            blocks[layer].forward(
                activations,
                pass,
                adapters: blockAdapters(layer: layer, tokens: count, packed: packed?.adapters[layer]),
                packed: packed?.blocks[layer],
                into: destination
            ) {
                attend(layer, $0)
            }
            if let next {
                activations = next
            } else {
                return destination
            }
        }
        return activations.input
    }

    /// The same over packed sequences, with causal attention inside each.
    func trunkForward(_ sequences: PackedSequences, recorded: Bool) -> Tensor {
        trunkForward(tokens: sequences.tokens, positions: sequences.positions, recorded: recorded) { _, a in
            attentionForward(
                a.qkv,
                offsets: sequences.offsets,
                into: a.attended,
                logSumExp: a.logSumExp
            )
        }
    }

    /// Adds to all gradients of what is trained below the final norm, given those of the residual stream after it, [N, D],
    /// which is used up.
    func trunkBackward(_ sequences: PackedSequences, dResidual dx: Tensor) {
        let count = sequences.tokens.count
        let pass = blockPass(tokens: count)
        let scratch = backwardScratch(tokens: count)
        let tensors = NamedTensors(parameters, matrices: parameters.gradients, vectors: parameters.gradients)
        for layer in (lowestTrainedBlock..<configuration.layers).reversed() {
            blocks[layer].backward(
                trainable == .full ? Block(configuration, layer: layer, tensors) : nil,
                adapters: blockAdapters(layer: layer, tokens: count),
                blockActivations(layer: layer, tokens: count, recorded: true),
                pass,
                offsets: sequences.offsets,
                scratch: scratch,
                dx: dx
            )
        }
        guard trainable == .full else { return }
        embeddingBackward(
            dx: dx,
            tokens: sequences.tokens,
            positions: sequences.positions,
            tokenGradient: gradient(configuration.tokenEmbeddingName),
            positionGradient: configuration.llama == nil ? gradient("transformer.wpe.weight") : nil
        )
    }

    /// Final norm of the given rows of the residual stream.
    func hiddenRows(of residual: Tensor, rows: [Int32]) -> HiddenRows {
        let shape = [rows.count, configuration.width]
        let hidden = HiddenRows(
            rows: rows,
            input: workspace.rowInput.tensor(shape),
            mean: workspace.rowMean.tensor([rows.count]),
            rstd: workspace.rowRstd.tensor([rows.count]),
            hidden: workspace.hidden.tensor(shape)
        )
        gatherRows(residual, rows, into: hidden.input)
        let gain = value(configuration.finalGainName)
        let epsilon = configuration.normEpsilon
        switch configuration.family {
        case .gpt2:
            layerNormForward(
                x: hidden.input,
                gain: gain,
                bias: value("transformer.ln_f.bias"),
                epsilon: epsilon,
                into: hidden.hidden,
                mean: hidden.mean,
                rstd: hidden.rstd
            )
        case .llama:
            rmsNormForward(x: hidden.input, gain: gain, epsilon: epsilon, into: hidden.hidden, rstd: hidden.rstd)
        }
        return hidden
    }

    /// From the gradient of the final norm's rows, [R, D], down through the trunk.
    func hiddenRowsBackward(_ hidden: HiddenRows, dHidden: Tensor, sequences: PackedSequences) {
        let dInput = workspace.dRowInput.tensor(hidden.input.shape)
        dInput.fill(0)
        let gain = value(configuration.finalGainName)
        let gainGradient = trunkGradient(configuration.finalGainName)
        switch configuration.family {
        case .gpt2:
            layerNormBackward(
                dy: dHidden,
                x: hidden.input,
                gain: gain,
                mean: hidden.mean,
                rstd: hidden.rstd,
                dx: dInput,
                gainGradient: gainGradient,
                biasGradient: trunkGradient("transformer.ln_f.bias")
            )
        case .llama:
            rmsNormBackward(
                dy: dHidden,
                x: hidden.input,
                gain: gain,
                rstd: hidden.rstd,
                dx: dInput,
                gainGradient: gainGradient
            )
        }
        let dResidual = workspace.dResidual.tensor([sequences.tokens.count, configuration.width])
        dResidual.fill(0)
        scatterAddRows(dInput, hidden.rows, into: dResidual)
        trunkBackward(sequences, dResidual: dResidual)
    }

    private func blockActivations(layer: Int, tokens: Int, recorded: Bool) -> BlockActivations {
        recorded && layer >= lowestTrainedBlock
            ? workspace.recorded[layer].activations(of: tokens, configuration)
            : workspace.passing.activations(of: tokens, configuration)
    }

    private func blockPass(tokens: Int) -> BlockPass {
        let rotary = configuration.llama.map { shape in
            let angles = [tokens, shape.headWidth / 2]
            return (cosines: workspace.cosines.tensor(angles), sines: workspace.sines.tensor(angles))
        }
        return BlockPass(
            projection: workspace.projection.tensor([tokens, configuration.width]),
            epsilon: configuration.normEpsilon,
            rotary: rotary
        )
    }

    private func backwardScratch(tokens: Int) -> BlockBackwardScratch {
        let narrow = tokens * max(configuration.width, configuration.attentionWidth)
        let wide = tokens * max(configuration.innerWidth, configuration.queryKeyValueWidth)
        let copied = precision == .float32 ? 0 : wide
        let gated = configuration.llama == nil ? 0 : 2 * tokens * configuration.innerWidth
        return BlockBackwardScratch(
            narrow: workspace.dNarrow.tensor([narrow]),
            wide: workspace.dWide.tensor([wide]),
            narrowProduct: workspace.narrowProduct.tensor([precision == .float32 ? 0 : narrow]),
            wideProduct: workspace.wideProduct.tensor([max(copied, gated)])
        )
    }
}
