import Tensors

/// Keys and values of the tokens so far, per layer, in rows that sequences own or share, of the type that operands of
/// products have.
///
/// Kept between calls of `sample`; grows, never shrinks.
struct KeyValueCache {
    private var keys: [Scratch] = []
    private var values: [Scratch] = []
    private let elementType: ElementType

    init(_ elementType: ElementType) { self.elementType = elementType }

    /// A layer's keys and values, [rows, K·d] each.
    mutating func tensors(layer: Int, rows: Int, width: Int) -> (keys: Tensor, values: Tensor) {
        while keys.count <= layer {
            keys.append(Scratch(elementType))
            values.append(Scratch(elementType))
        }
        return (keys[layer].tensor([rows, width]), values[layer].tensor([rows, width]))
    }
}

/// Copies the keys and values of packed prompts, N rows of `qkv`, to each one's rows of the cache.
func storePrompts(
    qkv: AttentionInput,
    _ prompts: PackedSequences,
    at places: [Range<Int>],
    keys: Tensor,
    values: Tensor
) {
    let width = keys.shape[1]
    for (prompt, place) in places.enumerated() {
        let rows = prompts.rows(of: prompt)
        let (keys, values) = (keys.rows(place), values.rows(place))
        switch qkv.layout {
        case .sideBySide:
            let thirds = qkv.tensor.view(at: 0, shape: [3 * qkv.rows, width])
            gatherRows(thirds, rows.map { Int32(3 * $0 + 1) }, into: keys)
            gatherRows(thirds, rows.map { Int32(3 * $0 + 2) }, into: values)
        case .apart:
            keys.copy(from: qkv.keys.rows(rows))
            values.copy(from: qkv.values.rows(rows))
        }
    }
}
