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
    /// LN_f(input), [R, D], fp32.
    let hidden: Tensor
}

extension LanguageModel {
    /// Runs embeddings and blocks; returns the residual stream after the last block, [N, D].
    ///
    /// A recorded pass keeps every layer's activations for `trunkBackward`; otherwise the layers share one set.
    func trunkForward(
        tokens: [Int32],
        positions: [Int32],
        recorded: Bool,
        packed: SamplingWeights? = nil,
        attend: (Int, BlockActivations) -> Void
    ) -> Tensor {
        let count = tokens.count
        if recorded && workspace.recorded.isEmpty {
            let productType = productParameters.elementType
            workspace.recorded = (0..<configuration.layers).map { _ in BlockScratch(productType) }
        }
        let projection = workspace.projection.tensor([count, configuration.width])
        let output = recorded ? workspace.trunkOutput.tensor([count, configuration.width]) : nil
        var activations = blockActivations(layer: 0, tokens: count, recorded: recorded)
        embeddingForward(
            tokens: tokens,
            positions: positions,
            tokenEmbedding: value("transformer.wte.weight"),
            positionEmbedding: value("transformer.wpe.weight"),
            into: activations.input
        )
        for layer in 0..<configuration.layers {
            let isLast = layer == configuration.layers - 1
            let next = isLast ? nil : blockActivations(layer: layer + 1, tokens: count, recorded: recorded)
            let destination = next?.input ?? output ?? activations.input
            blockForward(
                blocks[layer],
                packed: packed?.blocks[layer],
                activations,
                projection: projection,
                epsilon: configuration.layerNormEpsilon,
                into: destination
            ) { attend(layer, $0) }
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
                AttentionInput(a.qkv, heads: configuration.heads),
                offsets: sequences.offsets,
                into: a.attended,
                logSumExp: a.logSumExp
            )
        }
    }

    /// Adds to all gradients of the trunk below the final norm, given those of the residual stream after it, [N, D],
    /// which is used up.
    func trunkBackward(_ sequences: PackedSequences, dResidual dx: Tensor) {
        let count = sequences.tokens.count
        let wide = count * max(configuration.innerWidth, 3 * configuration.width)
        let scratch = BlockBackwardScratch(
            narrow: workspace.dNarrow.tensor([count, configuration.width]),
            wide: workspace.dWide.tensor([wide]),
            narrowProduct: precision == .float32 ? dx : workspace.narrowProduct.tensor([count * configuration.width]),
            wideProduct: precision == .float32 ? dx : workspace.wideProduct.tensor([wide])
        )
        for layer in (0..<configuration.layers).reversed() {
            let gradients = BlockTensors(
                parameters,
                layer: layer,
                matrices: parameters.gradients,
                vectors: parameters.gradients
            )
            blockBackward(
                blocks[layer],
                gradients,
                blockActivations(layer: layer, tokens: count, recorded: true),
                offsets: sequences.offsets,
                heads: configuration.heads,
                scratch: scratch,
                dx: dx
            )
        }
        embeddingBackward(
            dx: dx,
            tokens: sequences.tokens,
            positions: sequences.positions,
            tokenGradient: gradient("transformer.wte.weight"),
            positionGradient: gradient("transformer.wpe.weight")
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
        layerNormForward(
            x: hidden.input,
            gain: value("transformer.ln_f.weight"),
            bias: value("transformer.ln_f.bias"),
            epsilon: configuration.layerNormEpsilon,
            into: hidden.hidden,
            mean: hidden.mean,
            rstd: hidden.rstd
        )
        return hidden
    }

    /// From the gradient of the final norm's rows, [R, D], down through the trunk.
    func hiddenRowsBackward(_ hidden: HiddenRows, dHidden: Tensor, sequences: PackedSequences) {
        let dInput = workspace.dRowInput.tensor(hidden.input.shape)
        dInput.fill(0)
        layerNormBackward(
            dy: dHidden,
            x: hidden.input,
            gain: value("transformer.ln_f.weight"),
            mean: hidden.mean,
            rstd: hidden.rstd,
            dx: dInput,
            gainGradient: gradient("transformer.ln_f.weight"),
            biasGradient: gradient("transformer.ln_f.bias")
        )
        let dResidual = workspace.dResidual.tensor([sequences.tokens.count, configuration.width])
        dResidual.fill(0)
        scatterAddRows(dInput, hidden.rows, into: dResidual)
        trunkBackward(sequences, dResidual: dResidual)
    }

    private func blockActivations(layer: Int, tokens: Int, recorded: Bool) -> BlockActivations {
        recorded
            ? workspace.recorded[layer].activations(of: tokens, configuration)
            : workspace.passing.activations(of: tokens, configuration)
    }
}
