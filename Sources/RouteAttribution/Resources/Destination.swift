// Wingmirror · Apache-2.0

internal import JSONSyntax

/// Where requests are sent, as written.
struct Destination: Sendable, Hashable {
    var host: String
    var subset: String
    var port: Int?
    /// Whether the proxy answers 500 in its place: a backend that is not there or not permitted.
    var isInvalid = false

    init(host: String, port: Int? = nil) {
        self.host = host
        subset = ""
        self.port = port
    }

    /// A destination whose share of requests is answered 500.
    static var invalid: Destination {
        var destination = Destination(host: "")
        destination.isInvalid = true
        return destination
    }

    init(_ reader: FieldReader) throws(ResourceError) {
        host = try reader.string("host") ?? ""
        subset = try reader.string("subset") ?? ""
        port = try reader.object("port") { field throws(ResourceError) in try field.integer("number") ?? 0 }
    }
}

/// A destination with its weight.
struct WeightedDestination: Sendable, Hashable {
    /// The destination; `nil` where the entry names none.
    var destination: Destination?
    var weight: Int
    var headers: HeaderOperations?

    init(destination: Destination, weight: Int) {
        self.destination = destination
        self.weight = weight
    }

    init(_ reader: FieldReader) throws(ResourceError) {
        if reader.value == .null {
            weight = 0
            return
        }
        destination = try reader.object("destination") { field throws(ResourceError) in try Destination(field) }
        weight = try reader.integer("weight") ?? 0
        headers = try reader.object("headers") { field throws(ResourceError) in try HeaderOperations(field) }
    }
}

/// An entry of `mirrors`.
struct HTTPMirror: Sendable, Hashable {
    var destination: Destination?
    /// The percentage; `nil` means all.
    var percentage: Double?

    init(destination: Destination, percentage: Double?) {
        self.destination = destination
        self.percentage = percentage
    }

    init(_ reader: FieldReader) throws(ResourceError) {
        destination = try reader.object("destination") { field throws(ResourceError) in try Destination(field) }
        percentage = try reader.object("percentage") { field throws(ResourceError) in try field.number("value") ?? 0 }
    }
}
