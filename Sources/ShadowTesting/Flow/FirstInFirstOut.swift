// Wingmirror · Apache-2.0

/// Elements that leave in the order in which they came.
struct FirstInFirstOut<Element> {
    /// Elements that have left are `nil` until the array is compacted.
    private var storage: [Element?] = []
    private var head = 0

    var count: Int { storage.count - head }
    var isEmpty: Bool { count == 0 }
    var first: Element? { isEmpty ? nil : storage[head] }

    mutating func append(_ element: Element) {
        storage.append(element)
    }

    mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let element = storage[head]
        storage[head] = nil
        head += 1
        // Each element is moved at most once for each that has left, so this costs nothing in the long run.
        if head > 32, head * 2 > storage.count {
            storage.removeFirst(head)
            head = 0
        }
        return element
    }

    /// Takes out all elements for which `isLeaving` holds, in order.
    mutating func removeAll(where isLeaving: (Element) -> Bool) -> [Element] {
        var leaving: [Element] = []
        var staying: [Element?] = []
        while let element = popFirst() {
            if isLeaving(element) { leaving.append(element) } else { staying.append(element) }
        }
        storage = staying
        head = 0
        return leaving
    }
}
