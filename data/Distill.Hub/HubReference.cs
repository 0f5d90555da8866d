using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Distill.Storage;

namespace Distill.Hub;

/// <summary>What a repository of the Hub holds.</summary>
public enum HubKind
{
    Model,
    DataSet,
}

/// <summary>
/// A place on the Hugging Face Hub: <c>hf://[models/|datasets/]owner/name[@revision][/path]</c>, the grammar of huggingface_hub's own
/// <c>hf://</c> addresses without spaces, kernels and buckets. Equal when all parts are. Immutable.
/// </summary>
public sealed partial record HubReference
{
    private const string Scheme = "hf://", Models = "models", DataSets = "datasets";

    private const string Form = "write hf://owner/name, hf://owner/name@revision/path or hf://datasets/owner/name";

    private HubReference(HubKind kind, string owner, string name) => (Kind, Owner, Name) = (kind, owner, name);

    public HubKind Kind { get; }

    public string Owner { get; }

    public string Name { get; }

    /// <summary>A branch, a tag or a commit; null where none is named, which means <c>main</c>.</summary>
    public string? Revision { get; init; }

    /// <summary>A folder or file in the repository, with slashes; empty for all of it.</summary>
    public string Path { get; init; } = "";

    /// <summary><c>owner/name</c>.</summary>
    public string Repository => $"{Owner}/{Name}";

    internal string RevisionOrMain => Revision ?? "main";

    /// <summary>The Hub's word for the kind in its addresses: <c>models</c> or <c>datasets</c>.</summary>
    internal string KindWord => Kind == HubKind.Model ? Models : DataSets;

    /// <summary>Whether a text claims to be such an address; whether it is one, <see cref="Parse"/> tells.</summary>
    public static bool IsReference(string text) => text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase);

    /// <exception cref="FormatException">The text is no such address; says why and what to write.</exception>
    public static HubReference Parse(string text) =>
        TryParse(text, out var reference, out string fault) ? reference : throw new FormatException($"{Printable.Quote(text)}: {fault}.");

    /// <param name="fault">What is wrong and what to write instead, without a full stop; empty when nothing is.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out HubReference? reference, out string fault)
    {
        reference = null;
        if (!IsReference(text))
        {
            fault = WebAddress().Match(text) is { Success: true } web
                ? $"an address of the web page; write hf://{web.Groups[1].Value}" : $"not an address of the Hub; {Form}";
            return false;
        }

        (reference, fault) = Read(text[Scheme.Length..], null);
        return reference is not null;
    }

    /// <summary>
    /// What stands after <c>hub:</c> in a recipe: <c>owner/name[@revision][/path]</c> of the kind that is meant there, or a whole
    /// <c>hf://</c> address.
    /// </summary>
    /// <inheritdoc cref="TryParse(string, out HubReference?, out string)"/>
    public static bool TryParse(string text, HubKind kind, [NotNullWhen(true)] out HubReference? reference, out string fault)
    {
        if (IsReference(text)) return TryParse(text, out reference, out fault);
        (reference, fault) = Read(text, kind);
        return reference is not null;
    }

    /// <summary>The same place at one commit.</summary>
    internal HubReference At(string commit) => this with { Revision = commit };

    /// <summary>The address in its shortest form: a model's without <c>models/</c>.</summary>
    public override string ToString() =>
        Scheme + (Kind == HubKind.DataSet ? DataSets + "/" : "") + Repository + (Revision is null ? "" : "@" + Escaped(Revision))
        + (Path.Length > 0 ? "/" + Path : "");

    // The type is the first word; a repository's owner cannot be called like one.
    private static (HubReference? Reference, string Fault) Read(string rest, HubKind? expected)
    {
        string[] parts = rest.TrimEnd('/').Split('/');
        var kind = expected ?? HubKind.Model;
        switch (parts[0])
        {
            case Models or DataSets:
                kind = parts[0] == Models ? HubKind.Model : HubKind.DataSet;
                parts = parts[1..];
                break;
            case "model" or "dataset":
                return (null, $"'{parts[0]}/' is written in the plural here: {parts[0]}s/owner/name");
            case "spaces" or "space" or "kernels" or "kernel" or "buckets" or "bucket":
                return (null, $"{parts[0]} cannot be read here, only models and data sets; {Form}");
        }

        if (parts.Length < 2 || parts[1].Length == 0)
            return (null, $"owner and name are both needed, also for old repositories such as openai-community/gpt2; {Form}");
        string owner = parts[0], name = parts[1];
        string? revision = null;
        int used = 2, at = name.IndexOf('@', StringComparison.Ordinal);
        if (at >= 0)
        {
            string tail = string.Join('/', [name[(at + 1)..], .. parts[2..]]);
            revision = SpecialRevision().Match(tail) is { Success: true } special ? special.Value : name[(at + 1)..];
            used += revision.Count(c => c == '/');
            name = name[..at];
            revision = Uri.UnescapeDataString(revision);
        }

        string path = string.Join('/', parts[used..]);
        string fault = !NameRule().IsMatch(owner) || !NameRule().IsMatch(name) || name.EndsWith(".git", StringComparison.Ordinal)
            ? $"{Printable.Quote($"{owner}/{name}")} can be no repository: letters, digits, '-', '_' and '.' only; {Form}"
            : revision is not null && !IsRevision(revision) ? $"{Printable.Quote(revision)} can be no branch, tag or commit; {Form}"
            : path.Length > 0 && RepositoryPath.Fault(path) is { } wrong ? $"the path {Printable.Quote(path)} {wrong}"
            : "";
        return fault.Length > 0 ? (null, fault) : (new HubReference(kind, owner, name) { Revision = revision, Path = path }, "");
    }

    // What git allows as the name of a reference and is safe as a path below refs/.
    private static bool IsRevision(string revision) =>
        revision.Length is > 0 and <= 250 && RepositoryPath.Fault(revision) is null && !revision.StartsWith('-')
        && !revision.Any(c => c is ' ' or '~' or '^' or ':' or '?' or '*' or '[' or '@')
        && !revision.EndsWith(".lock", StringComparison.Ordinal);

    private static string Escaped(string revision) =>
        SpecialRevision().Match(revision) is { Success: true, Length: var length } && length == revision.Length ? revision
            : revision.Replace("/", "%2F", StringComparison.Ordinal);

    [GeneratedRegex(@"^refs/(?:convert/[\w.-]+|pr/\d+)", RegexOptions.NonBacktracking)]
    private static partial Regex SpecialRevision();

    [GeneratedRegex(@"^(?!.*(?:--|\.\.))[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?$")]
    private static partial Regex NameRule();

    [GeneratedRegex(@"^https?://(?:huggingface\.co|hf\.co)/([A-Za-z0-9/._-]+)")]
    private static partial Regex WebAddress();
}
