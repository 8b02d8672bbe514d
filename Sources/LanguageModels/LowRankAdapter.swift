import Tensors

/// The low-rank update of a linear layer: y += s·(x̃·Aᵀ)·Bᵀ, s = alpha/r.
///
/// LoRA: Hu et al., arXiv 2106.09685, eq. 3. x̃ is x, or in a training pass with dropout what that leaves of x. A: [r,
/// D_in] and B: [D_out, r], as PEFT keeps them, of the product type; x: [N, D_in], y: [N, D_out]. With bf16 products
/// x·Aᵀ is summed in fp32 and rounded before it is multiplied by B, as PEFT does under autocast. Of the pass's rows it
/// changes its own: other models' adapters may have the others.
struct LowRankAdapter {
    /// Rows of x and y, N of them.
    let rows: Range<Int>
    let a: Tensor
    let b: Tensor
    /// Of A and B, fp32; asked for in a backward pass alone, since a model that is never trained has none.
    let gradients: () -> (a: Tensor, b: Tensor)
    /// s.
    let scale: Float
    /// A and B laid out for sampling; nil in other passes.
    let packed: PackedAdapter?
    /// Of x; nil: all of it stays.
    let dropout: Dropout?
    let scratch: Scratch

    /// Memory of a pass, for all adapters.
    struct Scratch {
        /// A row of r elements for each of the pass's.
        let inner: Tensor
        /// As many in the product type; empty for fp32, which needs no copy.
        let innerProduct: Tensor
        /// N × max(D_in, D_out) elements; empty but for sampling and dropout.
        let update: Tensor
        /// x̃, N × D_in elements of the product type; empty but for dropout.
        let dropped: Tensor
    }

    /// What is added to y: u·Bᵀ.
    func update(_ x: Tensor) -> LowRankUpdate {
        LowRankUpdate(rows: rows, u: innerState(input(x.rows(rows))), v: b, transposed: true)
    }

    /// Adds the update to y, fp32, where the layer's own product is there already.
    func addUpdate(of x: Tensor, to y: Tensor) {
        let update = update(x)
        multiply(update.u, transposed: false, update.v, transposed: true, into: y.rows(rows), accumulate: true)
    }

    /// The same, by the matrices laid out for sampling.
    func addPackedUpdate(of x: Tensor, to y: Tensor) {
        guard let packed else { preconditionFailure("the adapter is not laid out for sampling") }
        let (x, y) = (x.rows(rows), y.rows(rows))
        let inner = own(scratch.inner)
        multiply(x, packed.a, into: inner)
        let update = scratch.update.view(at: 0, shape: y.shape)
        multiply(scaled(inner), packed.b, into: update)
        addScaled(update, scale: 1, to: y)
    }

    /// Adds to the gradients of A and B, given dy in the product type; returns what is added to dx, du·A; nil with
    /// dropout.
    ///
    /// With u = s·x̃·Aᵀ: dB = dyᵀ·u, du = s·dy·B, dA = duᵀ·x̃, dx̃ = du·A. u is computed again rather than kept: it
    /// costs r/D_out of the layer's own product.
    func backward(dy: Tensor, x: Tensor) -> LowRankUpdate? {
        let (dy, input) = (dy.rows(rows), input(x.rows(rows)))
        let gradients = gradients()
        multiply(dy, transposed: true, innerState(input), into: gradients.b, accumulate: true)
        let inner = own(scratch.inner)
        multiply(dy, b, into: inner)
        let du = scaled(inner)
        multiply(du, transposed: true, input, into: gradients.a, accumulate: true)
        return dropout == nil ? LowRankUpdate(rows: rows, u: du, v: a, transposed: false) : nil
    }

    /// With dropout, adds to dx the part of du·A that it lets through.
    func addDropped(to dx: Tensor) {
        guard let dropout else { return }
        let dx = dx.rows(rows)
        let dInput = scratch.update.view(at: 0, shape: dx.shape)
        multiply(isBFloat16 ? own(scratch.innerProduct) : own(scratch.inner), a, into: dInput)
        dropout.backward(dy: dInput, addingTo: dx)
    }

    /// x̃.
    private func input(_ x: Tensor) -> Tensor {
        guard let dropout else { return x }
        let kept = scratch.dropped.view(at: 0, shape: x.shape)
        dropout.forward(x, into: kept)
        return kept
    }

    /// u = s·x·Aᵀ, [N, r], in the product type.
    private func innerState(_ x: Tensor) -> Tensor {
        let inner = own(scratch.inner)
        multiplyRows(x, transposed: a, into: inner)
        return scaled(inner)
    }

    /// s·inner in the product type.
    private func scaled(_ inner: Tensor) -> Tensor {
        Tensors.scale(inner, by: scale)
        return isBFloat16 ? inProductType(inner, own(scratch.innerProduct)) : inner
    }

    private var isBFloat16: Bool { a.elementType == .bfloat16 }

    /// The adapter's rows of r elements: other adapters of the layer keep theirs until its product is computed.
    private func own(_ scratch: Tensor) -> Tensor {
        let rank = a.shape[0]
        return scratch.view(at: rows.lowerBound * rank, shape: [rows.count, rank])
    }
}

/// An adapter's matrices laid out for sampling, transposed: [D_in, r] and [r, D_out].
struct PackedAdapter {
    let a: PackedMatrix
    let b: PackedMatrix

    init(rank: Int, _ layer: LinearLayer, _ elementType: ElementType) {
        a = PackedMatrix(inner: layer.inputs, columns: rank, elementType)
        b = PackedMatrix(inner: rank, columns: layer.outputs, elementType)
    }

    /// Copies the matrices.
    func pack(_ adapter: LowRankAdapter) {
        a.pack(adapter.a, transposed: true)
        b.pack(adapter.b, transposed: true)
    }
}
