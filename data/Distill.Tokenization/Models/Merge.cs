namespace Distill.Tokenization.Models;

/// <summary>A merge: lower ranks go first; <paramref name="Id"/> is the token it makes.</summary>
internal readonly record struct Merge(int Rank, int Id);
