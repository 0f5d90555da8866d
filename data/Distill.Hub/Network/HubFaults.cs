using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Distill.Storage;

namespace Distill.Hub.Network;

/// <summary>
/// Answers that refuse → exceptions with a remedy. The Hub says what it means in <c>X-Error-Code</c>; a 401 alone is said of missing and
/// private repositories alike (huggingface_hub reads both the same way).
/// </summary>
internal static partial class HubFaults
{
    private const int LongestSaid = 300;

    /// <param name="what">What was asked for: a repository, at a revision, perhaps a file.</param>
    /// <exception cref="HubException">The answer is no success.</exception>
    public static void ThrowIfRefused(HttpResponseMessage answer, HubReference what, HubOptions options, TimeProvider clock)
    {
        if (answer.IsSuccessStatusCode) return;
        int status = (int)answer.StatusCode;
        if (answer.RequestMessage?.RequestUri is { } at && at.Authority != options.Endpoint.Authority)
        {
            // The addresses that the Hub signs are good for a while only; it signs a new one for the next try.
            throw new HubException(HubFault.ServerFault, $"{at.IdnHost}, where the Hub keeps the files of {what.Repository}, answers with "
                + $"{status}.")
                { Status = status, RetryAfter = RetryAfter(answer, clock) };
        }

        string code = HeaderOf(answer, "X-Error-Code"), said = HeaderOf(answer, "X-Error-Message");
        throw code switch
        {
            "GatedRepo" => Fault(HubFault.Gated, $"The {Kind(what)} {what.Repository} is gated: its owner wants terms accepted. Accept "
                + "them at "
                + PageOf(what, options)
                + (options.Token is null ? ", make a token in your settings there and put it into HF_TOKEN." : " with the account of your "
                    + "token.")),
            "RevisionNotFound" => Fault(HubFault.NoRevision,
                $"{what.Repository} has no branch, tag or commit {Printable.Quote(what.RevisionOrMain)}. "
                    + $"{PageOf(what, options)}/tree/main shows those it has."),
            "EntryNotFound" => Fault(HubFault.NoFile, $"{what.Repository} has no {Printable.Quote(what.Path)} at {what.RevisionOrMain}."),
            _ when said.StartsWith("Invalid credentials", StringComparison.OrdinalIgnoreCase) => Fault(HubFault.Unauthorized,
                $"{options.Endpoint.Host} does not know the token: it is wrong, or was withdrawn. Put another into HF_TOKEN, or none for "
                    + "what is public."),
            _ when said.StartsWith("Access to this resource is disabled", StringComparison.Ordinal) =>
                Fault(HubFault.NoRepository, $"{what.Repository} has been disabled by the Hub."),
            _ when code == "RepoNotFound" || status is 401 or 404 => Fault(HubFault.NoRepository, Missing(what, options)),
            _ => OfStatus(status),
        };

        HubException OfStatus(int number) => number switch
        {
            403 => Fault(HubFault.Unauthorized, $"{options.Endpoint.Host} does not allow this for {what.Repository}{Said(said)}: "
                + (options.Token is null ? "set HF_TOKEN." : "give the token the right to it (read, or write for push) in its settings.")),
            409 or 412 => Fault(HubFault.Conflict, $"{what.Repository} was changed by somebody else meanwhile{Said(said)}. Look at it and "
                + "try again."),
            429 => Fault(HubFault.Busy, $"{options.Endpoint.Host} asks for patience: too many requests{Said(said)}."
                + (options.Token is null ? " With a token in HF_TOKEN more are allowed." : "")),
            408 or >= 500 => Fault(HubFault.ServerFault, $"{options.Endpoint.Host} answers with {number}{Said(said)}. Try again later."),
            _ => Fault(HubFault.Refused, $"{options.Endpoint.Host} refuses the request for {what.Repository} with {number}{Said(said)}."),
        };

        HubException Fault(HubFault fault, string message) =>
            new(fault, message) { Status = status, RetryAfter = RetryAfter(answer, clock) };
    }

    /// <summary>
    /// <c>Retry-After</c> as seconds or as a date; else the seconds until the window of <c>RateLimit</c> begins anew
    /// (draft-ietf-httpapi-ratelimit-headers-09, which the Hub sends), where nothing remains of it.
    /// </summary>
    internal static TimeSpan? RetryAfter(HttpResponseMessage answer, TimeProvider clock)
    {
        if (answer.Headers.RetryAfter is RetryConditionHeaderValue { } wait)
            return wait.Delta ?? (wait.Date is { } date && date > clock.GetUtcNow() ? date - clock.GetUtcNow() : null);
        return RateLimit().Match(HeaderOf(answer, "RateLimit")) is { Success: true } match
            && int.TryParse(match.Groups[1].ValueSpan, out int seconds) ? TimeSpan.FromSeconds(seconds) : null;
    }

    internal static string HeaderOf(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) || answer.Content.Headers.TryGetValues(name, out values)
            ? string.Join(", ", values) : "";

    internal static string PageOf(HubReference what, HubOptions options) =>
        $"{options.Endpoint.AbsoluteUri.TrimEnd('/')}/{(what.Kind == HubKind.DataSet ? "datasets/" : "")}{what.Repository}";

    private static string Missing(HubReference what, HubOptions options)
    {
        string other = what.Kind == HubKind.Model ? $"A data set is written hf://datasets/{what.Repository}." : $"A model is written "
            + $"hf://{what.Repository}.";
        string token = options.Token is null ? "If it is private, put a token into HF_TOKEN." : "If it is private, the token has to be "
            + "allowed to read it.";
        return $"{options.Endpoint.Host} has no {Kind(what)} {what.Repository}, or hides it. {token} {other}";
    }

    private static string Kind(HubReference what) => what.Kind == HubKind.Model ? "model" : "data set";

    private static string Said(string said) => said.Length == 0 ? "" : $" "
        + $"({Printable.Of(said.Length <= LongestSaid ? said : said[..LongestSaid])})";

    [GeneratedRegex(@"^""?\w+""?\s*;\s*r\s*=\s*0\s*;\s*t\s*=\s*(\d{1,6})", RegexOptions.NonBacktracking)]
    private static partial Regex RateLimit();
}
