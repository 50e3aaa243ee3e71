// Wingmirror · Apache-2.0

extension RecordedExchange {
    /// About how much memory the exchange takes, in octets: its text and content, and the arrays and strings around them.
    public var octetsInMemory: Int {
        let fixed = 1024
        let response = response.map(\.message.octetsInMemory) ?? 0
        return fixed + request.target.count + request.message.octetsInMemory + response
    }
}

extension RecordedMessage {
    /// About how much memory the message takes, in octets.
    public var octetsInMemory: Int {
        // A field is a string and an array: 24 octets in the list, and 32 before what each of the two holds.
        (fields + trailers).reduce(content.count) { $0 + 96 + $1.name.utf8.count + $1.value.count }
    }
}
