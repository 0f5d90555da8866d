namespace Distill.Teacher.Remote.Network;

/// <summary>Where an endpoint may lie. It lies in exactly one of these; anything else is refused when the connection is made.</summary>
public enum NetworkScope
{
    /// <summary>The Internet; https only. The default.</summary>
    Public,

    /// <summary>This machine; http is allowed.</summary>
    Loopback,

    /// <summary>A private network (RFC 1918, RFC 6598, fc00::/7) or this machine; http is allowed.</summary>
    Private,
}
