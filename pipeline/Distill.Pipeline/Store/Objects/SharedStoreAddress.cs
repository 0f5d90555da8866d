using System.Text.RegularExpressions;
using Distill.Pipeline.Runs;
using Distill.Storage.Objects;

namespace Distill.Pipeline.Store.Objects;

/// <summary><c>s3://bucket/prefix</c>: where machines without a common file system share what they make. Holds no secret.</summary>
/// <param name="Prefix">Without slashes around it; may be empty.</param>
internal sealed partial record SharedStoreAddress(string Bucket, string Prefix)
{
    /// <summary>Holds the address where no option gives it.</summary>
    public const string Variable = "DISTILL_STORE";

    public const string Scheme = "s3://", Form = "s3://BUCKET or s3://BUCKET/PREFIX";

    public override string ToString() => Prefix.Length == 0 ? Scheme + Bucket : $"{Scheme}{Bucket}/{Prefix}";

    /// <summary>Whether a text means an object store and not a folder.</summary>
    public static bool IsOne(string text) => text.IndexOf(":/", StringComparison.Ordinal) > 1; // C:/ is a drive

    /// <exception cref="RunRefusedException">It is no such address; says what one looks like.</exception>
    public static SharedStoreAddress Parse(string text)
    {
        if (Pattern().Match(text) is not { Success: true } match)
            throw new RunRefusedException($"{Quoted(text)} is no shared store: give {Form}. Endpoint and credentials are read as AWS's own "
                + "tools read them, from AWS_ENDPOINT_URL_S3, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE and their "
                + "files; never put them here.");
        return new SharedStoreAddress(match.Groups[1].Value, match.Groups[2].Value.Trim('/'));
    }

    // Somebody may have put a secret there, as in other addresses: it is not repeated.
    private static string Quoted(string text) => text.Contains('@') || text.Contains('?') ? "What was given" : $"'{text}'";

    // Without what a proxy or a program might read as something else than a part of a name.
    [GeneratedRegex(@"^s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(/(?:[A-Za-z0-9_=-][A-Za-z0-9_.=-]*/?)*)?$", RegexOptions.NonBacktracking)]
    private static partial Regex Pattern();

    /// <summary>It over the network; nothing is asked before the first use.</summary>
    public SharedPlace ToPlace() => new(ToString(), () => S3ObjectStore.Open(this, Environment.GetEnvironmentVariable));
}

/// <summary>A store that is shared, not opened yet.</summary>
/// <param name="Address">As people write it.</param>
/// <param name="Open">Opens it; who calls it disposes what it gives.</param>
internal sealed record SharedPlace(string Address, Func<IObjectStore> Open);
