namespace Distill.Hub;

/// <summary>
/// How the Hub is reached and where its files are kept: the same environment variables, with the same meanings, as huggingface_hub's, so
/// that whoever uses both sets them once. Immutable; its text form leaves the token out.
/// </summary>
public sealed record HubOptions
{
    private static readonly string[] True = ["1", "ON", "YES", "TRUE"];

    /// <summary>The Hub; another one speaks the same interface.</summary>
    public Uri Endpoint { get; init; } = new("https://huggingface.co");

    /// <summary>A user access token; sent to <see cref="Endpoint"/> and nowhere else. Null for none.</summary>
    public string? Token { get; init; }

    /// <summary>Full path of huggingface_hub's cache: <c>models--owner--name/{blobs,refs,snapshots}</c>.</summary>
    public required string CacheFolder { get; init; }

    /// <summary>Ask nobody: what the cache has is all there is.</summary>
    public bool IsOffline { get; init; }

    /// <summary>False keeps copies in the cache's snapshots instead of links.</summary>
    public bool UsesLinks { get; init; } = true;

    /// <summary>Files received or sent at the same time.</summary>
    public int Concurrency { get; init; } = 8;

    /// <summary>Further tries after a fault that may pass, without progress in between.</summary>
    public int Retries { get; init; } = 6;

    /// <summary>A connection over which nothing comes for so long counts as cut.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// <c>HF_ENDPOINT</c>, <c>HF_TOKEN</c> (else the file <c>HF_TOKEN_PATH</c>, by default <c>token</c> in <c>HF_HOME</c>, unless
    /// <c>HF_HUB_DISABLE_IMPLICIT_TOKEN</c>), <c>HF_HUB_CACHE</c> (else <c>hub</c> in <c>HF_HOME</c>), <c>HF_HUB_OFFLINE</c>,
    /// <c>HF_HUB_DISABLE_SYMLINKS</c>.
    /// </summary>
    /// <param name="variable">Name → value; null for those of the process.</param>
    /// <exception cref="HubException">A variable cannot be used; named, never with the token.</exception>
    public static HubOptions FromEnvironment(Func<string, string?>? variable = null)
    {
        variable ??= Environment.GetEnvironmentVariable;
        string user = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string? Given(string name) => variable(name) is { } value && value.Trim() is { Length: > 0 } some ? some : null;
        string? Folder(string name) => Given(name) is { } path
            ? Path.GetFullPath(path == "~" || path.StartsWith("~/", StringComparison.Ordinal) ? user + path[1..] : path) : null;
        bool IsSet(string name) => Given(name) is { } value && True.Contains(value.ToUpperInvariant());

        string home = Folder("HF_HOME") ?? Path.Combine(Folder("XDG_CACHE_HOME") ?? Path.Combine(user, ".cache"), "huggingface");
        var options = new HubOptions
        {
            CacheFolder = Folder("HF_HUB_CACHE") ?? Folder("HUGGINGFACE_HUB_CACHE") ?? Path.Combine(home, "hub"),
            Token = TokenOf(Given("HF_TOKEN") ?? Given("HUGGING_FACE_HUB_TOKEN"), "HF_TOKEN")
                ?? (IsSet("HF_HUB_DISABLE_IMPLICIT_TOKEN") ? null : TokenIn(Folder("HF_TOKEN_PATH") ?? Path.Combine(home, "token"))),
            IsOffline = IsSet("HF_HUB_OFFLINE") || IsSet("TRANSFORMERS_OFFLINE"),
            UsesLinks = !IsSet("HF_HUB_DISABLE_SYMLINKS"),
        };
        return Given("HF_ENDPOINT") is { } endpoint ? options with { Endpoint = EndpointOf(endpoint) } : options;
    }

    /// <summary>For logs: where, not who.</summary>
    public override string ToString() => $"{Endpoint}{(Token is null ? "" : " with a token")}, cache "
        + $"{CacheFolder}{(IsOffline ? ", offline" : "")}";

    private static Uri EndpointOf(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http" && uri.UserInfo.Length == 0
            && uri.Query.Length == 0 && uri.Fragment.Length == 0
            ? uri
            : throw new HubException(HubFault.Refused,
                "HF_ENDPOINT is not the address of a Hub (not shown, it may hold a secret): write one such as https://huggingface.co.");

    private static string? TokenIn(string file)
    {
        const int Longest = 4096;
        if (!File.Exists(file) || new FileInfo(file).Length > Longest) return null;
        return TokenOf(File.ReadAllText(file).Trim(), $"The file '{file}'");
    }

    private static string? TokenOf(string? text, string where) => text switch
    {
        null or "" => null,
        _ when text.All(c => c is > ' ' and < '\x7f') => text,
        _ => throw new HubException(HubFault.Unauthorized,
            $"{where} holds more than a token (not shown): it must be one word, such as hf_…."),
    };
}
