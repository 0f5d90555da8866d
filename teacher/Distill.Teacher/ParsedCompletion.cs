namespace Distill.Teacher;

/// <summary>A completion taken apart.</summary>
/// <param name="Reasoning">The text between the thinking marks, trimmed; empty when there is none.</param>
/// <param name="Answer">The text after the thinking, trimmed; null when there is none or it was cut off.</param>
public sealed record ParsedCompletion(string Reasoning, string? Answer);
