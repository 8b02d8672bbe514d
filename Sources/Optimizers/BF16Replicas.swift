package import Tensors

/// What ranks have of parameters that others update, where it is less than the parameters themselves.
package struct BF16Replicas {
    /// bfloat16, as long as the parameters: theirs, rounded.
    package let copy: Tensor
    /// The ranges of which other ranks need the copy alone, in order.
    package let ranges: [Range<Int>]

    /// States the copy, and where it is enough.
    package init(copy: Tensor, ranges: [Range<Int>]) {
        self.copy = copy
        self.ranges = ranges
    }
}
