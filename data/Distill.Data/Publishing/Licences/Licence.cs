namespace Distill.Data.Publishing.Licences;

/// <summary>What a licence asks of whoever passes on what was made from the work. Facts about its text, no advice.</summary>
internal enum LicenceTerm
{
    /// <summary>Name the author.</summary>
    Attribution,

    /// <summary>What is made from it goes on under the same licence (copyleft too).</summary>
    ShareAlike,

    /// <summary>Not for commercial advantage.</summary>
    NonCommercial,

    /// <summary>Changed versions are not passed on; traces and models made from it are such.</summary>
    NoDerivatives,

    /// <summary>A model made with it or its output carries a name or a notice.</summary>
    Naming,

    /// <summary>A list of uses that are forbidden goes on with the work.</summary>
    UseRestrictions,

    /// <summary>The output may not train other (or competing) models.</summary>
    NoTraining,
}

/// <summary>A licence, or the terms of a service whose output is used.</summary>
/// <param name="Id">SPDX identifier in lower case where there is one; else the Hub's word, or ours.</param>
/// <param name="Url">Where its text stands.</param>
internal sealed record Licence(string Id, string Url, params IReadOnlyList<LicenceTerm> Terms)
{
    /// <summary>The word that recipes use for a term, e.g. <c>non-commercial</c>.</summary>
    public static string Word(LicenceTerm term) => term switch
    {
        LicenceTerm.Attribution => "attribution",
        LicenceTerm.ShareAlike => "share-alike",
        LicenceTerm.NonCommercial => "non-commercial",
        LicenceTerm.NoDerivatives => "no-derivatives",
        LicenceTerm.Naming => "naming",
        LicenceTerm.UseRestrictions => "use-restrictions",
        LicenceTerm.NoTraining => "no-training",
        _ => throw new ArgumentOutOfRangeException(nameof(term), term, null),
    };

    public bool Has(LicenceTerm term) => Terms.Contains(term);
}

/// <summary>Something that is published with or within the result, and its licence.</summary>
/// <param name="Role"><c>source</c>, <c>teacher</c> or <c>base</c>.</param>
/// <param name="Licence">As its owner or the recipe states it; null: nobody said.</param>
internal sealed record LicensedPart(string Role, string Name, string? Licence);
