// Wingmirror · Apache-2.0

public import HTTPMessages

/// The field that says that a request is shadow traffic: `wingmirror-shadow: <node>;hops=1`.
///
/// Every copy bears it, and no setting takes it off. Whatever bears it is never mirrored and is counted apart from
/// production's traffic, so the presence of the field matters more than what it says.
public struct ShadowMarker: Sendable, Hashable {
    /// The name of the field.
    public static let fieldName = "wingmirror-shadow"

    /// The node that sent the copy, as a token.
    public let node: String
    /// How many times the request has been copied.
    public let hops: Int

    /// Makes the marker of a copy of an original request; what may not stand in a token becomes a hyphen.
    public init(node: String, hops: Int = 1) {
        let octets = node.utf8.prefix(Self.maximumNodeOctets).map { FieldToken.contains($0) ? $0 : UInt8(ascii: "-") }
        self.node = octets.isEmpty ? "unknown" : String(decoding: octets, as: UTF8.self)
        self.hops = hops
    }

    /// As long as the longest name of a host.
    private static let maximumNodeOctets = 253

    /// The value of the field.
    public var fieldValue: String { "\(node);hops=\(hops)" }

    // MARK: - Reading

    /// How many times a request has been copied, by its marker: 0 without one, and 1 at least with one, whatever it says.
    public static func hops(of request: borrowing RequestView) -> Int {
        var hops = 0
        for index in request.fields.indices {
            let line = request.fields[index]
            guard OctetText.matches(request.octets, line.name, "wingmirror-shadow") else { continue }
            hops = max(hops, Self.hops(inValue: request.octets.extracting(line.value)))
        }
        return hops
    }

    /// How many times a request with a marker of this value has been copied; 1 at least.
    public static func hops(inValue value: Span<UInt8>) -> Int {
        var parameter = OctetText.find(UInt8(ascii: ";"), in: value, value.indices)
        while parameter < value.count {
            let end = OctetText.find(UInt8(ascii: ";"), in: value, parameter + 1..<value.count)
            let text = OctetText.trimmed(value, parameter + 1..<end)
            if text.count > 5, OctetText.matches(value, text.prefix(5), "hops=") {
                return number(value, text.dropFirst(5))
            }
            parameter = end
        }
        return 1
    }

    /// A number of up to four digits; more hops than that are as bad as any.
    private static func number(_ value: Span<UInt8>, _ range: Range<Int>) -> Int {
        var number = 0
        for index in range {
            guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= value[index] else { return 1 }
            number = min(number * 10 + Int(value[index] - UInt8(ascii: "0")), 9999)
        }
        return max(1, number)
    }
}
