import Synchronization

/// One cache for all copies of a tokenizer; a thread that finds it in use works without.
final class SharedWordCache: Sendable {
    private let cache = Mutex(WordCache())

    func withCache(_ body: (inout WordCache) -> Void) {
        let used: Void? = cache.withLockIfAvailable { body(&$0) }
        if used == nil {
            var empty = WordCache()
            body(&empty)
        }
    }
}
