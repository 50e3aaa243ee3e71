// Wingmirror · Apache-2.0

extension ExchangeStore {
    /// The exchange at an index that `insert` gave, in place.
    ///
    /// By its address, because an accessor that yields it may have to copy it to where it is lent from.
    subscript(index: Int32) -> Exchange {
        @inline(__always)
        unsafeAddress { unsafe exchanges.address(of: index) }
        @inline(__always)
        unsafeMutableAddress { unsafe exchanges.mutableAddress(of: index) }
    }
}
