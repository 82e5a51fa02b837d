"""Operations: `$validate`, `$everything`, `$meta`, `$match`, those of terminology, and what holds for all."""
