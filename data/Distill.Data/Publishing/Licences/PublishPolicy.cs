using Distill.Storage;

namespace Distill.Data.Publishing.Licences;

/// <summary>A part that may not go into what is published, and why: half a sentence.</summary>
internal sealed record LicenceConflict(LicensedPart Part, string Reason)
{
    public override string ToString() => Printable.Of($"{Part.Role} '{Part.Name}': {Reason}");
}

/// <summary>
/// What a publisher has decided: under which licence the result goes out, and what he will not have in it. Compares words of licences
/// with words of a policy; what a licence means for a use is for its readers to say. Immutable.
/// </summary>
internal sealed record PublishPolicy
{
    /// <summary>Stands for every licence that is not in the table or not stated.</summary>
    public const string Unknown = "unknown";

    /// <summary>Of what is published; null: it follows from the parts.</summary>
    public string? Licence { get; init; }

    /// <summary>The only licences that parts may have; empty: any that is not forbidden.</summary>
    public IReadOnlyList<string> Allow { get; init; } = [];

    /// <summary>Terms, licences or <c>unknown</c> that no part may have.</summary>
    public IReadOnlyList<string> Forbid { get; init; } = [];

    /// <summary>Every word that <see cref="Forbid"/> may hold besides licences.</summary>
    public static IReadOnlyList<string> Words { get; } = [.. Enum.GetValues<LicenceTerm>().Select(Licences.Licence.Word), Unknown];

    /// <summary>Everything that stands against publishing, part by part; empty when nothing does.</summary>
    public IReadOnlyList<LicenceConflict> Conflicts(IEnumerable<LicensedPart> parts) =>
        [.. parts.SelectMany(part => Reasons(part).Select(reason => new LicenceConflict(part, reason)))];

    /// <summary>The licence of the whole: the policy's, or the one that all parts have; <c>other</c> where they differ.</summary>
    public string LicenceOf(IReadOnlyCollection<LicensedPart> parts)
    {
        if (Licence is not null) return LicenceTable.Normal(Licence);
        string[] distinct = [.. parts.Select(part => part.Licence is { } id ? LicenceTable.Normal(id) : Unknown).Distinct()];
        return distinct switch
        {
            [] => Unknown,
            [var only] => only,
            _ => distinct.Contains(Unknown) ? Unknown : "other",
        };
    }

    private IEnumerable<string> Reasons(LicensedPart part)
    {
        var licence = LicenceTable.Find(part.Licence);
        string id = part.Licence is { } stated ? LicenceTable.Normal(stated) : Unknown;
        var allowed = Allow.Select(LicenceTable.Normal).ToHashSet(StringComparer.Ordinal);
        if (allowed.Count > 0 && !allowed.Contains(id))
            yield return $"its licence ({Shown(part)}) is not among those that the policy allows ({string.Join(", ", Allow)})";
        var forbidden = Forbid.Select(LicenceTable.Normal).ToHashSet(StringComparer.Ordinal);
        if (licence is null && forbidden.Contains(Unknown))
            yield return $"its licence ({Shown(part)}) is not known, and the policy forbids that";
        if (part.Licence is not null && forbidden.Contains(id)) yield return $"the policy forbids {id}";
        foreach (string term in (licence?.Terms ?? []).Select(Licences.Licence.Word))
            if (forbidden.Contains(term)) yield return $"{id} says {term}, which the policy forbids";
        if (licence is not null && AgainstOwn(licence) is { } reason) yield return reason;
    }

    /// <summary>What the licence that the result is to have would promise and the part's does not.</summary>
    private string? AgainstOwn(Licence part)
    {
        if (Licence is null) return null;
        string own = LicenceTable.Normal(Licence);
        if (own == part.Id && !part.Has(LicenceTerm.NoDerivatives)) return null;
        if (part.Has(LicenceTerm.NoDerivatives)) return $"{part.Id} says no-derivatives, so that nothing made from it goes out under {own}";
        if (part.Has(LicenceTerm.ShareAlike) && !GoesOnAs(part.Id, own))
            return $"{part.Id} says share-alike, so that what is made from it does not go out under {own}";
        return part.Has(LicenceTerm.NonCommercial) && LicenceTable.Find(own)?.Has(LicenceTerm.NonCommercial) != true
            ? $"{part.Id} says non-commercial, which {own} does not" : null;
    }

    // Later versions of the same, and the one way from Creative Commons to the GPL that its stewards have declared.
    private static bool GoesOnAs(string part, string own) => (part, own) is
        ("cc-by-sa-3.0", "cc-by-sa-4.0") or ("cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0") or ("cc-by-sa-4.0", "gpl-3.0");

    private static string Shown(LicensedPart part) => part.Licence is null ? "none is stated" : LicenceTable.Normal(part.Licence);
}
